import type { BatchShape } from '../../../model/operations.js';
import { priceStep, type PricedOperation } from '../../../roofline/predict/predict.js';
import type { Predictor } from '../../../roofline/predict/predictor.js';
import { bytesOf } from '../../../roofline/predict/price.js';
import { digits, scaledUnit } from '../../terminal/format.js';
import type { Column } from '../../terminal/table.js';

interface Row extends PricedOperation {
  readonly hardware: string;
}

export function pricedRows(predictor: Predictor, step: BatchShape): Row[] {
  return priceStep(predictor, step).map((priced) => ({ ...priced, hardware: predictor.hardware.id }));
}

const us = (seconds: number): string => digits(1e6 * seconds);

export const operationColumns: readonly Column<Row>[] = [
  { head: 'hardware', key: 'hardware', value: ({ hardware }) => hardware },
  { head: 'phase', key: 'phase', value: (row) => row.operation.phase, text: (row) => row.operation.phase },
  { head: 'operation', key: 'name', value: (row) => row.operation.name, text: (row) => row.operation.name },
  { head: 'rows', key: 'm', value: (row) => row.operation.m, text: (row) => `${row.operation.m}` },
  { head: 'n', key: 'n', value: (row) => row.operation.n },
  { head: 'k', key: 'k', value: (row) => row.operation.k },
  {
    head: 'FLOPs',
    key: 'flops',
    value: (row) => row.operation.flops,
    text: (row) => scaledUnit(row.operation.flops, ''),
  },
  {
    head: 'bytes',
    key: 'bytes',
    value: (row) => bytesOf(row.operation),
    text: (row) => scaledUnit(bytesOf(row.operation), 'B'),
  },
  { head: 'weights', key: 'weight_bytes', value: (row) => row.operation.weightBytes },
  { head: 'activations', key: 'activation_bytes', value: (row) => row.operation.activationBytes },
  { head: 'KV read', key: 'kv_read_bytes', value: (row) => row.operation.kvReadBytes },
  { head: 'KV written', key: 'kv_write_bytes', value: (row) => row.operation.kvWriteBytes },
  { head: 'FLOP/B', key: 'intensity', value: (row) => row.price.intensity, text: (row) => digits(row.price.intensity) },
  { head: 'roof', key: 'roof', value: (row) => row.price.roof.name, text: (row) => row.price.roof.name },
  {
    head: 'compute us',
    key: 'compute_us',
    value: (row) => 1e6 * row.price.computeSeconds,
    text: (row) => us(row.price.computeSeconds),
  },
  {
    head: 'memory us',
    key: 'memory_us',
    value: (row) => 1e6 * row.price.memorySeconds,
    text: (row) => us(row.price.memorySeconds),
  },
  { head: 'time us', key: 'us', value: (row) => 1e6 * row.price.seconds, text: (row) => us(row.price.seconds) },
  { head: 'bound by', key: 'bottleneck', value: (row) => row.price.bottleneck, text: (row) => row.price.bottleneck },
];

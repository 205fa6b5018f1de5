import { option, words } from '../../../wording.js';
import type { Dated, Hardware } from '../../../roofline/hardware/hardware.js';
import { memoryOf } from '../../../roofline/hardware/memory.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import { tokenCost, type ChipPrice, type Priced, type TokenCost } from '../../../roofline/questions/token-cost.js';
import { duration, share, text, yesNo } from '../../terminal/columns.js';
import { originLine } from './efficiencies.js';
import { emit } from '../../terminal/answer.js';
import { digits } from '../../terminal/format.js';
import type { FlagsIn } from '../../options/command-table.js';
import { PREDICT } from './flags.js';
import { refusePredict, type PredictFlags, type PredictOption } from './options.js';
import { findHardware, findModel, predictorOptions, requestOf } from './subjects.js';
import type { Column } from '../../terminal/table.js';

/** Dollars and watts are of one chip, in the order of `--hardware`; the network is of a whole machine. */
export type TokenCostFlags = PredictFlags & FlagsIn<typeof PREDICT.tokens>;

interface Row extends TokenCost {
  readonly fits: boolean;
}

/** Values given for pieces of hardware, one for each of them. */
function perHardware(values: readonly number[] | undefined, name: PredictOption, hardware: readonly Hardware[]) {
  if (values === undefined || values.length === hardware.length) return values;
  return refusePredict(
    name,
    words`takes a number for each of the ${hardware.length} at ${option('predict.hardware')}, found ${values.length}`,
  );
}

/** Price and watts of a chip: as given, else of its row; watts under load where the row has them, else its TDP. */
function priceOf(hardware: Hardware, usdPerHour: number | undefined, watts: number | undefined): ChipPrice {
  return {
    usdPerHour: usdPerHour ?? hardware.pricePerHour?.value,
    watts: watts ?? hardware.wattsServing?.value ?? hardware.tdpWatts,
  };
}

/** What a million tokens cost in dollars and joules, by phase, both phases on one platform and on two. */
export async function tokenCostCommand(flags: TokenCostFlags): Promise<number> {
  const { network = PREDICT.tokens.network.default } = flags;
  const [model, hardware] = await Promise.all([findModel(flags.model), findHardware(flags)]);
  const request = requestOf(flags);
  const dollars = perHardware(flags.usdPerHour, 'predict.usdPerHour', hardware);
  const watts = perHardware(flags.watts, 'predict.watts', hardware);
  const platforms = hardware.map((each, at): Priced => ({
    predictor: new Predictor(model, each, predictorOptions(flags, each)),
    price: priceOf(each, dollars?.[at], watts?.[at]),
  }));
  const tokens = request.promptTokens + request.outputTokens;
  const holds = ({ predictor }: Priced, length: number) => memoryOf(predictor, length, request.batch).fits;
  const link = { bytesPerSecond: (network * 1e9) / 8, latencySeconds: 0 };
  const rows = platforms.flatMap((prefill): Row[] =>
    platforms.map((decode) => ({
      ...tokenCost(prefill, decode, request, prefill === decode ? undefined : link),
      fits: holds(prefill, request.promptTokens) && holds(decode, tokens),
    })),
  );
  const money = (head: string, key: string, value: (row: Row) => number | undefined): Column<Row> => ({
    head,
    key,
    value,
    text: (row) => {
      const found = value(row);
      return found === undefined ? '-' : digits(found);
    },
  });
  const columns: Column<Row>[] = [
    text('prefill on', 'prefill_hardware', (row) => row.prefill.hardware),
    text('decode on', 'decode_hardware', (row) => row.decode.hardware),
    money('$/M prompt', 'usd_per_million_prompt_tokens', (row) => row.prefill.dollars),
    money('$/M output', 'usd_per_million_output_tokens', (row) => row.decode.dollars),
    money('$/M both', 'usd_per_million_output_tokens_with_prompts', (row) => row.dollars),
    money('J/prompt', 'joules_per_prompt_token', (row) => row.prefill.megajoules),
    money('J/output', 'joules_per_output_token', (row) => row.decode.megajoules),
    money('J/both', 'joules_per_output_token_with_prompt', (row) => row.megajoules),
    share('idle', 'prefill_idle_compute', (row) => row.prefill.idleCompute),
    share('idle', 'decode_idle_compute', (row) => row.decode.idleCompute),
    duration('TTFT ms', 'ttft_ms', (row) => row.ttftSeconds),
    duration('sent ms', 'transfer_ms', (row) => row.transferSeconds),
    duration('TPOT ms', 'tpot_ms', (row) => row.tpotSeconds),
    yesNo('fits', 'fits', (row) => row.fits),
  ];
  const priced = platforms.map(({ predictor, price }) => {
    const { id, pricePerHour, wattsServing } = predictor.hardware;
    const dated = (found: Dated | undefined) => (found === undefined ? '' : ` (${found.source}, ${found.date})`);
    const hour = price.usdPerHour === undefined ? 'no price known (--usd-per-hour)' : `$${price.usdPerHour} an hour`;
    const drawn = price.watts === undefined ? 'watts not known (--watts)' : `${price.watts} W a chip`;
    const from = wattsServing === undefined ? ' (TDP)' : dated(wattsServing);
    return (
      `${id}: ${hour}${dollars === undefined ? dated(pricePerHour) : ''}, ${drawn}${watts === undefined ? from : ''}; ` +
      originLine(predictor.pricer.efficiencies)
    );
  });
  const { promptTokens, outputTokens, batch } = request;
  return emit(flags, {
    rows,
    columns,
    before: `cost of tokens: ${model.name}, prompt ${promptTokens}, output ${outputTokens}, batch ${batch}, chips ${platforms[0].predictor.chips}, never idle\n`,
    after: `both: an output token with its share of the prompt; idle: compute not used, in prefill and in decode\n${priced.join('')}`,
    json: {
      model: model.name,
      prompt_tokens: promptTokens,
      output_tokens: outputTokens,
      batch,
      chips: platforms[0].predictor.chips,
      network_gigabits_per_second: network,
      chips_priced: platforms.map(({ predictor, price }) => ({
        hardware: predictor.hardware.id,
        usd_per_hour: price.usdPerHour ?? null,
        watts: price.watts ?? null,
      })),
    },
  });
}

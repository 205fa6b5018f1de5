import { RECORDED } from '../replications/recorded.js';
import type { SeedFigure } from './figure.js';
import { AZURE_MEDIANS } from './measured.js';
import { figuresOf } from './short-forms.js';

const { simulated, reproduced } = figuresOf('001');

const AREA = 'Latency against die area: needs the authors’ area model, which is not published for these chips.';
const CLUSTER = 'Theirs come from SplitwiseSim or Vidur over a chip model that is not published.';
const { 'spad-provision': counts, 'spad-slos': slos, 'spad-reallocate': moved, 'spad-models': models } = RECORDED;
const SYSTEMS = ['Sarathi', 'Splitwise-homo', 'Splitwise-hetero', 'Splitwise-pcap'] as const;

/** Counts of SPAD's machines, as simulated. */
const spad = `${counts['coding, normal: SPAD, machines']} for coding, ${counts['conversation, normal: SPAD, machines']} for conversation`;
const others = SYSTEMS.map(
  (name) =>
    `${name} ${counts[`coding, normal: ${name}, machines`]} and ${counts[`conversation, normal: ${name}, machines`]}`,
).join(', ');
const underSlos = ([...SYSTEMS, 'SPAD'] as const)
  .map((name) => {
    const of = (slo: 'loose' | 'tight'): string =>
      `${slos[`coding, ${slo}: ${name}, machines`]} and ${slos[`conversation, ${slo}: ${name}, machines`]}`;
    return `${name} ${of('loose')}, ${of('tight')}`;
  })
  .join('; ');
const rates = [
  moved['bloom-176b, 18P+7D on conversation: requests/s after moving'],
  moved['bloom-176b, 8P+17D on coding: requests/s after moving'],
].join(' and ');
const again = (name: string): string => `"simulate replicate ${name}" makes it again.`;

/** What a cluster simulation must give: what ours came to, or why there is nothing beside it. Chips alone are predicted. */
export const SPAD_SIMULATED: readonly SeedFigure[] = [
  simulated('001.f5', 'Figure 5', 'design space of the Prefill Chip', 'drawn only', AREA),
  simulated('001.f6', 'Figure 6', 'design space of the Decode Chip', 'drawn only', AREA),
  simulated(
    '001.t4.counts',
    'Table 4',
    'machine counts at 70 requests a second',
    '18P+7D, 8P+17D, ...',
    `Ours: ${spad}; ${others} (coding and conversation). ${CLUSTER} ${again('spad-provision')}`,
  ),
  simulated(
    '001.t6.counts',
    'Table 6',
    'machine counts under three SLOs',
    '33, 36, 45, ...',
    `Ours under the normal one: see Table 4. Under the loose and the tight one (coding and conversation of each): ${underSlos}. ${again('spad-slos')}`,
  ),
  simulated(
    '001.t7.rate',
    'Table 7',
    'requests a second after moving machines',
    '55, 60',
    `Ours: ${rates}. ${CLUSTER} ${again('spad-reallocate')}`,
  ),
  simulated(
    '001.t7.moved',
    'Table 7',
    'machines moved to the other phase',
    '8P, 14D',
    'Ours serves most with 8 and with 14 of those tried, too; a forecast that moves machines by itself brings 18P+7D to 8P+17D under conversations.',
  ),
  simulated(
    '001.t8.rate',
    'Table 8',
    'requests a second with other models',
    '188, 171, 103, 183',
    `Ours: ${Object.values(models).join(', ')}. How many machines were moved is not printed, so the best of a few counts; DeepSeek-V2's weights fill nine tenths of a Prefill Chip machine, so they get all of it. ${again('spad-models')}`,
  ),
  simulated(
    '001.f9',
    'Figures 9 and 14',
    'grid of prefill and decode machines',
    'drawn only',
    'No number is printed; the edge of the same grid is what "simulate provision" walks along.',
  ),
  simulated(
    '001.f10',
    'Figure 10',
    'throughput against SLO after moving',
    'drawn only',
    `No number is printed. Ours, requests a second within the loose, normal and tight SLO: 18P+7D moved to conversation ${moved['the same, Fig. 10: requests/s within the loose, normal and tight SLO, 8P moved']}, 8P+17D moved to coding ${moved['the same, Fig. 10: requests/s within the loose, normal and tight SLO, 14D moved']}.`,
  ),
  simulated(
    '001.f12',
    'Figures 12 and 13',
    'machine sweeps of the baselines',
    'drawn only',
    `No number is printed but 18P+7D of Splitwise-homo under coding; ours: ${counts['coding, normal: Splitwise-homo, machines']}.`,
  ),
  reproduced(
    '001.coding.in',
    'section 6.3',
    'coding trace: median prompt',
    '1500 tokens',
    () => AZURE_MEDIANS.coding.prompt,
    'rounded in the paper',
    {
      decimals: -2,
    },
  ),
  reproduced(
    '001.coding.out',
    'section 6.3',
    'coding trace: median output',
    '13 tokens',
    () => AZURE_MEDIANS.coding.output,
  ),
  reproduced('001.conversation.in', 'section 6.3', 'conversation trace: median prompt', '1020 tokens', () => {
    return AZURE_MEDIANS.conversation.prompt;
  }),
  reproduced('001.conversation.out', 'section 6.3', 'conversation trace: median output', '129 tokens', () => {
    return AZURE_MEDIANS.conversation.output;
  }),
];

const ms = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const ratio = (value) => value.toFixed(2);
const range = ({ median, min, max }, show) => `${show(median)} (${show(min)} to ${show(max)})`;
const table = (rows) => {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(rows[0]), line(rows[0].map(() => '---')), ...rows.slice(1).map(line)].join('\n');
};

/** The result for people: what ran where, times, ratios. */
export function toMarkdown({ date, model, machine, versions, plan, engines, summary }) {
  const names = Object.keys(summary.engines);
  const times = table([
    ['engine', `TTFT(${plan.promptTokens}) ms`, 'TPOT ms'],
    ...names.map((name) => {
      const { ttftMs, tpotMs } = summary.engines[name];
      return [`${name} ${versions[name]}`, range(ttftMs, ms), range(tpotMs, ms)];
    }),
  ]);
  const ratios = table([
    ['Ridgepoint against', 'TTFT', 'TPOT', 'same greedy tokens'],
    ...Object.entries(summary.ratios).map(([peer, { ttft, tpot, sameTokens, ofTokens }]) => [
      peer,
      range(ttft, ratio),
      range(tpot, ratio),
      `${sameTokens} of ${ofTokens}`,
    ]),
  ]);
  const where = names.map(
    (name) => `- ${name}: ${engines[name].adapter}; ${engines[name].backend}; KV cache ${engines[name].kvCache}`,
  );
  return `# ${model.name}, ${model.weights} weights, f16

${date}, ${machine.cpu} (${machine.threads} threads), Node ${machine.node}, ${plan.rounds} interleaved rounds.
TTFT after ${plan.promptTokens} prompt tokens; TPOT over ${plan.decodeTokens} tokens after ${plan.shortTokens}. Median (smallest to largest).

${where.join('\n')}

${times}

Ridgepoint's time as a part of the peer's, ratio of each round: below 1 Ridgepoint is faster.

${ratios}
`;
}

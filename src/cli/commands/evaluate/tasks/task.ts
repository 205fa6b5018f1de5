/** A beginning and ways to go on, one of which is right. */
export interface Question {
  readonly begin: string;
  /** The right one first; how they stand in a file says nothing to a model, which sees one at a time. */
  readonly ends: readonly [string, ...string[]];
}

/** A small set of questions with several answers. */
export interface Task {
  readonly name: string;
  readonly about: string;
  readonly questions: readonly Question[];
}

/** What a model makes of the answers of one question: the sum of their tokens' log-probabilities, in nats. */
export type Scores = readonly number[];

export interface TaskResult {
  readonly questions: number;
  /** Share of questions whose right answer is the likeliest. */
  readonly accuracy: number;
  /** The same by log-probability a byte of an answer, so that long ones are not at a loss. */
  readonly accuracyByByte: number;
  /** Standard error of the accuracy, as of independent questions. */
  readonly error: number;
  /** Accuracy of who guesses. */
  readonly chance: number;
}

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** Whether the first of some numbers is larger than all others. */
function isFirst(values: readonly number[]): boolean {
  return values.slice(1).every((value) => value < values[0]);
}

/** @param scores of each question's answers, in order */
export function resultOf({ questions }: Task, scores: readonly Scores[]): TaskResult {
  const count = questions.length;
  const share = (right: (at: number) => boolean): number => questions.filter((_, at) => right(at)).length / count;
  const accuracy = share((at) => isFirst(scores[at]));
  const byByte = (at: number): number[] => scores[at].map((score, i) => score / bytes(questions[at].ends[i]));
  return {
    questions: count,
    accuracy,
    accuracyByByte: share((at) => isFirst(byByte(at))),
    error: count < 2 ? 0 : Math.sqrt((accuracy * (1 - accuracy)) / (count - 1)),
    chance: questions.reduce((sum, { ends }) => sum + 1 / ends.length, 0) / count,
  };
}

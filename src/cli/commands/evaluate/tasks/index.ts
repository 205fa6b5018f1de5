import { facts } from './facts.js';
import { forms } from './forms.js';
import { stories } from './stories.js';
import type { Task } from './task.js';

/** The sets that come with the program; written for it. */
export const TASKS: readonly Task[] = [forms, stories, facts];

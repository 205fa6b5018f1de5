/** Stands below the help of a command that may fail in more than one way. */
export const EXIT_CODES = `
Exit codes:
  0    done
  1    failed: the model, the prompt, the adapter, memory, the network
  2    wrong usage: a command, an option or its value
  130  interrupted with Ctrl-C
`;

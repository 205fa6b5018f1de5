/** All that embeddings take beside generating; loaded when somebody asks for one. */
export { checkInputs, poolingOf, promptList } from './embed-input.js';
export { Embedder } from './embedder.js';
export { finished } from './pooled-rows.js';

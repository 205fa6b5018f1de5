/** The parts of the page, each by its id in `index.html`. */
function part<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} "${id}"`);
}

export const parts = {
  modelForm: part('model-form', HTMLFormElement),
  model: part('model', HTMLInputElement),
  dtype: part('dtype', HTMLSelectElement),
  folder: part('folder', HTMLButtonElement),
  files: part('files', HTMLInputElement),
  status: part('status', HTMLParagraphElement),
  tabs: part('tabs', HTMLElement),
  measure: part('measure', HTMLButtonElement),
  measureAll: part('measure-all', HTMLButtonElement),
  measureStop: part('measure-stop', HTMLButtonElement),
  gpuStatus: part('gpu-status', HTMLParagraphElement),
  gpuName: part('gpu-name', HTMLInputElement),
  device: part('device', HTMLSelectElement),
  gpuReport: part('gpu-report', HTMLElement),
  size: part('size', HTMLParagraphElement),
  progress: part('progress', HTMLProgressElement),
  stored: part('stored', HTMLUListElement),
  chats: part('chats', HTMLSelectElement),
  newChat: part('new-chat', HTMLButtonElement),
  rename: part('rename', HTMLButtonElement),
  renameForm: part('rename-form', HTMLFormElement),
  title: part('title', HTMLInputElement),
  deleteChat: part('delete-chat', HTMLButtonElement),
  chatStatus: part('chat-status', HTMLParagraphElement),
  chatOptions: part('chat-options', HTMLDetailsElement),
  temperature: part('temperature', HTMLInputElement),
  topP: part('top-p', HTMLInputElement),
  topK: part('top-k', HTMLInputElement),
  repetitionPenalty: part('repetition-penalty', HTMLInputElement),
  maxTokens: part('max-tokens', HTMLInputElement),
  seed: part('seed', HTMLInputElement),
  continues: part('continues', HTMLInputElement),
  system: part('system', HTMLTextAreaElement),
  exportJson: part('export-json', HTMLButtonElement),
  exportMarkdown: part('export-markdown', HTMLButtonElement),
  exportAll: part('export-all', HTMLButtonElement),
  importChats: part('import-chats', HTMLButtonElement),
  chatFiles: part('chat-files', HTMLInputElement),
  turns: part('turns', HTMLOListElement),
  announcer: part('announcer', HTMLParagraphElement),
  promptForm: part('prompt-form', HTMLFormElement),
  promptLabel: part('prompt-label', HTMLLabelElement),
  editing: part('editing', HTMLParagraphElement),
  prompt: part('prompt', HTMLTextAreaElement),
  send: part('send', HTMLButtonElement),
  stop: part('stop', HTMLButtonElement),
  again: part('again', HTMLButtonElement),
};

export function say(text: string, { wrong = false } = {}): void {
  parts.status.textContent = text;
  parts.status.classList.toggle('wrong', wrong);
}

/** An element with a text, which is never read as HTML: models write what they like. */
export function element(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

export const megabytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;

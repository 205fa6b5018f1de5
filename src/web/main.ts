import type { BrowserGenerateOptions, BrowserModel } from '../platform/browser/index.js';
import { Conversation } from './conversation.js';
import { GpuPanel } from './gpu-panel.js';
import { PageModel, showStored } from './model.js';
import { parts, say } from './page.js';
import { makeTabs } from './tabs.js';

const model = new PageModel();
const conversation = new Conversation((text) => {
  parts.prompt.value = text;
  parts.prompt.focus();
  parts.editing.hidden = false;
});
const gpu = new GpuPanel(model);
let running: AbortController | undefined;

function update(): void {
  parts.stop.disabled = running === undefined;
  parts.send.disabled = running !== undefined;
  parts.again.disabled = running !== undefined || conversation.isEmpty;
  parts.clear.disabled = running !== undefined || conversation.isEmpty;
  parts.export.disabled = conversation.isEmpty;
}

function sampling(): BrowserGenerateOptions {
  const { temperature, maxTokens } = parts;
  return {
    ...(temperature.value === '' ? {} : { temperature: Number(temperature.value) }),
    ...(maxTokens.value === '' ? {} : { maxTokens: Number(maxTokens.value) }),
  };
}

/** Has the model speak. What keeps it from being loaded is said where loading is. */
async function speak(): Promise<void> {
  running = new AbortController();
  update();
  try {
    await conversation.reply(await model.engine(), { ...sampling(), signal: running.signal });
  } catch (error) {
    say((error as Error).message, { wrong: true });
  } finally {
    running = undefined;
    update();
    parts.prompt.focus();
  }
}

function choose(wanted: BrowserModel | undefined): void {
  running?.abort();
  model.choose(wanted).catch(() => undefined);
}

async function pickFolder(): Promise<void> {
  const { showDirectoryPicker } = window as { showDirectoryPicker?: () => Promise<FileSystemDirectoryHandle> };
  if (showDirectoryPicker === undefined) {
    parts.files.click();
    return;
  }
  try {
    choose(await showDirectoryPicker());
  } catch (error) {
    if ((error as DOMException).name !== 'AbortError') say((error as Error).message, { wrong: true });
  }
}

parts.promptForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (running !== undefined) return;
  conversation.ask(parts.prompt.value);
  parts.editing.hidden = true;
  parts.prompt.value = '';
  void speak();
});
parts.prompt.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && conversation.isEdited) {
    conversation.keepEdited();
    parts.editing.hidden = true;
    parts.prompt.value = '';
  }
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  parts.promptForm.requestSubmit();
});
parts.stop.addEventListener('click', () => running?.abort());
parts.again.addEventListener('click', () => {
  conversation.dropReply();
  void speak();
});
parts.clear.addEventListener('click', () => {
  conversation.clear();
  parts.editing.hidden = true;
  update();
});
parts.export.addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([conversation.exported()], { type: 'application/json' }));
  link.download = 'conversation.json';
  link.click();
  URL.revokeObjectURL(link.href);
});
parts.modelForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = parts.model.value.trim();
  choose(wanted === '' ? undefined : wanted);
});
parts.folder.addEventListener('click', () => void pickFolder());
parts.files.addEventListener('change', () => choose([...(parts.files.files ?? [])]));

makeTabs(parts.tabs, (name) => {
  if (name === 'gpu') void gpu.open();
});

// Where it cannot be had, the page needs its network.
navigator.serviceWorker?.register('offline.js').catch(() => undefined);

parts.model.value = new URLSearchParams(location.search).get('model') ?? '';
update();
void showStored();
choose(parts.model.value === '' ? undefined : parts.model.value);

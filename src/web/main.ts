import type { BrowserModel } from '../platform/browser/index.js';
import { ChatPanel } from './chats/chat-panel.js';
import { Conversation } from './conversation.js';
import type { GpuPanel } from './gpu-panel.js';
import { openLater } from './later-tabs.js';
import { PageModel, showStored } from './model.js';
import { parts, say } from './page.js';
import { makeTabs } from './tabs.js';

let running: AbortController | undefined;
const conversation = new Conversation(
  (text) => {
    parts.prompt.value = text;
    parts.prompt.focus();
    parts.editing.hidden = false;
  },
  () => chats.keep(),
);
const chats = new ChatPanel((chat) => {
  conversation.open(chat);
  endEditing();
  update();
});
const model = new PageModel((engine) => {
  chats.suit(engine);
  update();
});
let gpu: Promise<GpuPanel> | undefined;

function update(): void {
  const isRunning = running !== undefined;
  parts.stop.disabled = !isRunning;
  parts.send.disabled = isRunning;
  parts.again.disabled = isRunning || conversation.isEmpty;
}

function endEditing(): void {
  if (parts.editing.hidden) return;
  conversation.keepEdited();
  parts.editing.hidden = true;
  parts.prompt.value = '';
}

/** Has the model speak. What keeps it from being loaded is said where loading is. */
async function speak(): Promise<void> {
  running = new AbortController();
  chats.busy = true;
  update();
  try {
    const engine = await model.engine();
    await conversation.reply(engine, chats.continues, { ...chats.chat.sampling, signal: running.signal });
  } catch (error) {
    say((error as Error).message, { wrong: true });
  } finally {
    running = undefined;
    chats.busy = false;
    update();
    parts.prompt.focus();
  }
}

/** Most visitors come to write: what measures is loaded when it is looked at. */
async function openGpu(): Promise<void> {
  gpu ??= import('./gpu-panel.js').then(({ GpuPanel }) => new GpuPanel(model));
  await (await gpu).open();
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
  const text = parts.prompt.value;
  // A text can be gone on with as it is; a question wants words.
  if (text.trim() === '' && (!chats.continues || conversation.isEmpty || conversation.isEdited)) return;
  const wasReply = conversation.ask(text);
  parts.editing.hidden = true;
  parts.prompt.value = '';
  // A reply that was put right is not answered by the one who gave it.
  if (!wasReply || chats.continues) void speak();
  else update();
});
parts.prompt.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') endEditing();
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  parts.promptForm.requestSubmit();
});
parts.stop.addEventListener('click', () => running?.abort());
parts.again.addEventListener('click', () => {
  conversation.dropReply();
  endEditing();
  void speak();
});
// A tab may be gone in the middle of a reply; what there is of it is kept.
document.addEventListener('visibilitychange', () => {
  if (document.hidden && running !== undefined) chats.keep();
});
parts.modelForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const wanted = parts.model.value.trim();
  choose(wanted === '' ? undefined : wanted);
});
parts.folder.addEventListener('click', () => void pickFolder());
parts.files.addEventListener('change', () => choose([...(parts.files.files ?? [])]));

makeTabs(parts.tabs, (name) => {
  if (name === 'gpu') openGpu().catch((error: unknown) => say((error as Error).message, { wrong: true }));
  if (name === 'bench' || name === 'compare') void openLater(name, model);
});

// Where it cannot be had, the page needs its network.
navigator.serviceWorker?.register('offline.js').catch(() => undefined);

parts.model.value = new URLSearchParams(location.search).get('model') ?? '';
update();
void showStored();
choose(parts.model.value === '' ? undefined : parts.model.value);

/** The page at `/`. Nothing of it comes from elsewhere. */
export const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ridgepoint</title>
<link rel="stylesheet" href="/ui/page.css">
</head>
<body>
<header><h1>Ridgepoint</h1><p id="who">…</p></header>
<p id="trouble" role="alert" hidden></p>
<main>
<section class="tiles" aria-label="Now">
<div><b id="running">–</b><span>running</span></div>
<div><b id="waiting">–</b><span>waiting</span></div>
<div><b id="kv">–</b><span>KV blocks in use</span></div>
<div><b id="batch">–</b><span>last step: rows + prompt tokens</span></div>
<div><b id="pace">–</b><span>measured / predicted step</span></div>
</section>
<section><h2>Steps</h2><p class="key"><i class="a"></i>measured <i class="b"></i>predicted, ms</p><svg id="steps" role="img" aria-label="Time of the last steps"></svg></section>
<section><h2>First token</h2><p class="key"><i class="a"></i>measured <i class="b"></i>predicted, ms, a request each</p><svg id="ttft" role="img" aria-label="Time to first token of the last requests"></svg></section>
<section><h2>Gap between tokens</h2><p class="key"><i class="a"></i>measured <i class="b"></i>predicted, ms, a request each</p><svg id="itl" role="img" aria-label="Mean gap of the last requests"></svg></section>
<section><h2>Roofline</h2><p class="key" id="roofnote"></p><svg id="roof" role="img" aria-label="Roofline with the last step"></svg></section>
<section class="wide"><h2>Last requests</h2><div class="scroll"><table><thead><tr><th>request</th><th>state</th><th>prompt</th><th>tokens</th><th>first token, ms</th><th>predicted</th><th>gap, ms</th><th>predicted</th></tr></thead><tbody id="requests"></tbody></table></div><div id="explained" aria-live="polite"></div></section>
<section class="wide"><h2>Playground</h2><form id="play"><label>Prompt<textarea id="prompt" rows="3">Once upon a time</textarea></label><div class="row"><label>Tokens<input id="tokens" type="number" min="1" value="64"></label><label>Temperature<input id="temperature" type="number" min="0" step="0.1" value="0.8"></label><button id="send">Send</button></div></form><pre id="answer" aria-live="polite"></pre><p class="key" id="answered"></p></section>
</main>
<script src="/ui/page.js"></script>
</body>
</html>
`;

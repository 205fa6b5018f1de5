export const CSS = `
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5b6775; --line: #d7dde4; --ground: #f5f7f9; --card: #fff; --a: #0b6bcb; --b: #d1781a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b5; --line: #313b47; --ground: #12171d; --card: #1a2129; --a: #5aaeff; --b: #f0a04b; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
header { padding: 16px clamp(12px, 3vw, 32px) 0; }
h1 { font-size: 20px; margin: 0; } h3 { font-size: 13px; margin: 10px 0 0; color: var(--soft); } h2 { font-size: 15px; margin: 0 0 4px; overflow-wrap: anywhere; }
#who { margin: 2px 0 0; color: var(--soft); overflow-wrap: anywhere; }
#trouble { margin: 12px clamp(12px, 3vw, 32px) 0; padding: 8px 12px; border: 1px solid var(--b); border-radius: 6px; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 12px; padding: 12px clamp(12px, 3vw, 32px) 32px; max-width: 1500px; margin: 0 auto; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; min-width: 0; }
.wide, .tiles { grid-column: 1 / -1; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; }
.tiles b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } .tiles span, .key { color: var(--soft); font-size: 13px; }
.key { margin: 0 0 6px; } .key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 4px 0 8px; } i.a { background: var(--a); } i.b { background: var(--b); } .key i:first-child { margin-left: 0; }
svg { width: 100%; height: 180px; display: block; } #roof:empty { height: 0; } svg text { fill: var(--soft); font-size: 11px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px clamp(4px, 1vw, 8px); border-bottom: 1px solid var(--line); white-space: nowrap; } th { color: var(--soft); font-weight: 500; font-size: 13px; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
button { font: inherit; color: inherit; } td button { border: 0; background: none; color: var(--a); padding: 0; cursor: pointer; text-decoration: underline; max-width: min(22ch, 24vw); overflow: hidden; text-overflow: ellipsis; }
#explained { margin-top: 8px; } #explained .bar { display: flex; height: 18px; border-radius: 4px; overflow: hidden; margin: 6px 0; }
#explained li { font-variant-numeric: tabular-nums; } #explained ul { margin: 4px 0; padding-left: 0; list-style: none; columns: 260px; }
#explained li i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
label { display: block; color: var(--soft); font-size: 13px; } textarea, input { display: block; width: 100%; font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 6px 8px; }
.row { display: flex; gap: 12px; align-items: end; margin-top: 8px; flex-wrap: wrap; } .row label { flex: 1 1 110px; } #send { padding: 7px 18px; border: 0; border-radius: 6px; background: var(--a); color: var(--card); cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 12px 0 4px; }
`;

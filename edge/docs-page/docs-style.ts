/**
 * The stylesheet of `/docs`: inline, so that the page is one answer, and allowed by its hash alone, so that nothing else
 * that might get into the page is. System fonts, both colour schemes, one column that also fits a telephone.
 */
import { toBase64, utf8 } from '#shared/primitives/bytes.ts';
import { sha256 } from '#shared/primitives/sha256.ts';

export const DOCS_STYLE = `
:root { color-scheme: light dark; --ink: #1d2327; --soft: #5b6670; --line: #dbe1e6; --ground: #ffffff; --box: #f4f6f8;
  --link: #0b5cad; --get: #0b6b4f; --put: #8a4b00; --delete: #a3222f; --patch: #6b3fa0 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8eb; --soft: #9aa6b0; --line: #333c44; --ground: #14181b; --box: #1d2328; --link: #7db8f5;
    --get: #5fd0a8; --put: #f0b060; --delete: #ff8f98; --patch: #c3a3f2 }
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; color: var(--ink); background: var(--ground); font: 1rem/1.55 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.9rem; margin: .5rem 0 }
h2 { font-size: 1.35rem; margin: 3rem 0 .75rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem }
h3 { font-size: 1.02rem; margin: 0; font-weight: 600 }
h4 { font-size: .82rem; margin: 1.1rem 0 .3rem; color: var(--soft); text-transform: uppercase; letter-spacing: .05em }
p { margin: .5rem 0 }
a { color: var(--link) }
code, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: .86em }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .85rem; overflow-x: auto;
  margin: .5rem 0; line-height: 1.5 }
nav ul { list-style: none; padding: 0; margin: .5rem 0 }
nav li { padding: .18rem 0; display: grid; grid-template-columns: 19rem 1fr; gap: 0 1rem; align-items: baseline }
nav a { text-decoration: none }
nav a:hover { text-decoration: underline }
nav li > span { color: var(--soft) }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
.method { font-weight: 700; display: inline-block; min-width: 4.2em; color: var(--get) }
.put, .post { color: var(--put) } .delete { color: var(--delete) } .patch { color: var(--patch) }
.path { overflow-wrap: anywhere }
.access { font-size: .82rem; color: var(--soft); border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem }
.head { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: baseline; justify-content: space-between }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .92rem }
th { text-align: left; color: var(--soft); font-weight: 500; font-size: .82rem }
th, td { padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td:last-child { padding-right: 0 }
tr:last-child td { border-bottom: 0 }
td code { overflow-wrap: anywhere }
td.name { white-space: nowrap }
details > summary { cursor: pointer; color: var(--link); font-size: .92rem; margin-top: .8rem; overflow-wrap: anywhere }
td a { text-decoration: none }
td a:hover { text-decoration: underline }
tr:target td, article:target { background: var(--box) }
@media (max-width: 38rem) {
  main { padding: 1rem .75rem 3rem }
  article { padding: .8rem }
  nav li { grid-template-columns: 1fr; padding: .3rem 0 }
  .fields tr { display: block; border-bottom: 1px solid var(--line); padding: .3rem 0 }
  .fields tr:first-child { display: none }
  .fields td { display: inline-block; border: 0; padding: 0 .8rem 0 0; color: var(--soft) }
  .fields td.name, .fields td:last-child { color: inherit }
  .fields td:last-child { display: block }
}
@media print { article { break-inside: avoid } details > summary { display: none } }
`;

/** CSP source of the style element, whose text is exactly DOCS_STYLE. */
export const docsStyleSource = (): string => `'sha256-${toBase64(sha256(utf8(DOCS_STYLE)))}'`;

// The frame: who is signed in, where one is, what is wrong with the connection. Pages stand in pages/.
import { html, render, useEffect, useRef, useState } from "./lib/view.mjs";
import { ApiError, call, get, remove, setCsrfToken, whenSignedOut } from "./lib/api.mjs";
import { listen, refresh } from "./lib/events.mjs";
import { Dialog, Icon } from "./lib/parts.mjs";
import { Toasts } from "./lib/toast.mjs";
import { Tray } from "./lib/tray.mjs";
import { Finder } from "./lib/finder.mjs";
import { SECTIONS, find, isCurrent } from "./lib/pages.mjs";
import { AREAS } from "./lib/registry.mjs";
import { THEMES, setTheme, theme, useTheme } from "./lib/theme.mjs";
import { SignIn } from "./pages/signin.mjs";

const AGAIN_MS = 1500;

const readPath = () => location.hash.slice(1) || "/";

function usePath() {
  const [path, setPath] = useState(readPath());
  useEffect(() => {
    const changed = () => setPath(readPath());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return path;
}

function ThemeButton() {
  const now = useTheme();
  const at = THEMES.findIndex(([key]) => key === now);
  const [, name, icon] = THEMES[at];
  return html`<button type="button" onClick=${() => setTheme(THEMES[(at + 1) % THEMES.length][0])} aria-label=${`Appearance: ${name}. Change`}>
    <${Icon} name=${icon} /><span>${name} colours</span>
  </button>`;
}

/** The first page of an area gets its title above, unless it is alone and called so itself. */
const startsArea = (section, at) => SECTIONS[at - 1]?.area !== section.area && (AREAS[section.area] !== section.title || SECTIONS.filter((each) => each.area === section.area).length > 1);

function Rail({ path, me, signOut, openFinder, openMore }) {
  const more = !SECTIONS.some((section) => section.bar && isCurrent(section, path));
  return html`<nav class="rail" aria-label="Pages">
    <a class="mark" href="#/"><img src="icons/gatepost.svg" alt="" width="28" height="28" /><span>Gatepost</span></a>
    <button type="button" class="find" onClick=${openFinder} aria-keyshortcuts="Control+K" aria-label="Find"><${Icon} name="search" /><span>Find</span><kbd>Ctrl K</kbd></button>
    <ul>
      ${SECTIONS.map(
        (section, at) => html`${startsArea(section, at) && html`<li class="area" aria-hidden="true">${AREAS[section.area]}</li>`}<li key=${section.path} class=${section.bar ? "bar" : ""}>
          <a href=${`#${section.path}`} title=${section.title} aria-current=${isCurrent(section, path) ? "page" : undefined}><${Icon} name=${section.icon} /><span>${section.title}</span></a>
        </li>`,
      )}
      <li class="more"><button type="button" class=${more ? "current" : ""} onClick=${openMore}><${Icon} name="dots" /><span>More</span></button></li>
    </ul>
    <div class="foot">
      <${ThemeButton} />
      ${!me.local && html`<button type="button" onClick=${signOut} aria-label="Sign out"><${Icon} name="door" /><span>Sign out</span></button>`}
    </div>
  </nav>`;
}

/** What does not fit into the bar of a phone. */
function More({ me, signOut, openFinder, onClose }) {
  return html`<${Dialog} title="More" onClose=${onClose}>
    <nav class="menu" aria-label="More pages">
      ${SECTIONS.filter((section) => !section.bar).map(
        (section) => html`<a href=${`#${section.path}`} onClick=${onClose} key=${section.path}><${Icon} name=${section.icon} /><span>${section.title}</span></a>`,
      )}
      <button type="button" onClick=${openFinder}><${Icon} name="search" /><span>Find</span></button>
      <${ThemeButton} />
      ${!me.local && html`<button type="button" onClick=${signOut}><${Icon} name="door" /><span>Sign out</span></button>`}
      <button type="button" onClick=${onClose}><${Icon} name="x" /><span>Close</span></button>
    </nav>
  </${Dialog}>`;
}

function App() {
  const [me, setMe] = useState(undefined); // undefined: not known yet; null: nobody
  const [expired, setExpired] = useState(false);
  const [link, setLink] = useState("up"); // up, down, restarting
  const [build, setBuild] = useState({ first: "", now: "" });
  const [over, setOver] = useState(""); // finder or more
  const [practice, setPractice] = useState(false);
  const probing = useRef(0);
  const path = usePath();

  const signedIn = (who) => {
    setCsrfToken(who.csrf_token);
    setMe(who);
    setExpired(false);
  };

  /** Asks who one is; the public question comes first, so that nobody is refused anything before signing in. */
  const askWho = async () => {
    try {
      const hello = await get("/hello");
      setBuild((old) => ({ first: old.first || hello.build_id, now: hello.build_id }));
      if (hello.signed_in) signedIn(await call("GET", "/session", { quiet: true }));
      else setMe(null);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) setMe(null);
      else setTimeout(askWho, AGAIN_MS);
    }
  };

  /** The stream is down: is the server away, or has it forgotten this session? */
  const probe = async () => {
    clearTimeout(probing.current);
    const hello = await get("/hello").catch(() => null);
    if (!hello) {
      setLink((old) => (old === "restarting" ? old : "down"));
      probing.current = setTimeout(probe, AGAIN_MS);
      return;
    }
    setLink("up");
    setBuild((old) => ({ first: old.first || hello.build_id, now: hello.build_id }));
    if (!hello.signed_in) setExpired(true);
    else refresh();
  };

  useEffect(() => {
    whenSignedOut(() => setExpired(true));
    askWho();
    document.querySelector(".skip").addEventListener("click", (event) => {
      // Its target is no page: the hash stays.
      event.preventDefault();
      document.getElementById("content")?.focus();
    });
    const keys = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      setOver("finder");
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);

  useEffect(() => {
    if (!me) return undefined;
    const readPractice = () => get("/status").then((status) => setPractice(status.practice_mode), () => {});
    readPractice();
    return listen((event) => {
      if (event.topic === "link" && event.up) {
        clearTimeout(probing.current);
        setLink("up");
      } else if (event.topic === "link") probe();
      else if (event.topic === "server") setLink(event.state === "restarting" ? "restarting" : "down");
      else if (event.topic === "config") readPractice();
    });
  }, [Boolean(me)]);

  const { page, parameters, key } = find(path);
  document.title = me ? `${page.title} – Gatepost` : "Sign in – Gatepost";
  if (me === undefined) return html`<p class="loading">Loading …</p>`;
  if (me === null) return html`<${SignIn} onSignedIn=${signedIn} />`;

  const signOut = async () => {
    await remove("/session").catch(() => {});
    location.reload();
  };
  const openFinder = () => setOver("finder");
  const signedInAgain = (who) => {
    signedIn(who);
    refresh();
  };
  return html`<div class="frame">
    <${Rail} path=${path} me=${me} signOut=${signOut} openFinder=${openFinder} openMore=${() => setOver("more")} />
    <main id="content" tabindex="-1">
      <div class="strips" role="status">
        ${link === "restarting" && html`<div class="strip warn"><${Icon} name="refresh" /><span>The server is restarting. This takes a few seconds …</span></div>`}
        ${link === "down" && html`<div class="strip warn"><${Icon} name="plug-off" /><span>The server does not answer. Trying again …</span></div>`}
        ${build.first !== build.now && html`<div class="strip info"><${Icon} name="refresh" /><span>Gatepost was updated. <a href="" onClick=${() => location.reload()}>Reload</a></span></div>`}
        ${practice && html`<div class="strip practice"><${Icon} name="rocket" /><span>Practice mode – nothing leaves this computer.</span></div>`}
      </div>
      <${Tray} />
      <div class="page" key=${key}><${page.view} ...${parameters} /></div>
    </main>
    ${over === "finder" && html`<${Finder} onClose=${() => setOver("")} />`}
    ${over === "more" && html`<${More} me=${me} signOut=${signOut} openFinder=${openFinder} onClose=${() => setOver("")} />`}
    ${expired && html`<${SignIn} onSignedIn=${signedInAgain} dialog />`}
    <${Toasts} />
  </div>`;
}

setTheme(theme());
render(html`<${App} />`, document.getElementById("app"));

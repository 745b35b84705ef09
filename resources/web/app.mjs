// The frame: who is signed in, where one is, what is wrong with the connection. Pages stand in pages/.
import { html, render, useEffect, useState } from "./lib/view.mjs";
import { ApiError, call, get, remove, setCsrfToken, whenSignedOut } from "./lib/api.mjs";
import { listen } from "./lib/events.mjs";
import { Icon } from "./lib/parts.mjs";
import { Toasts } from "./lib/toast.mjs";
import { Finder } from "./lib/finder.mjs";
import { SECTIONS, find } from "./lib/pages.mjs";
import { SignIn } from "./pages/signin.mjs";

const THEMES = ["system", "light", "dark"];

function applyTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function useTheme() {
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "system");
  useEffect(() => {
    localStorage.setItem("theme", theme);
    applyTheme(theme);
  }, [theme]);
  return [theme, () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length])];
}

function usePath() {
  const read = () => decodeURI(location.hash.slice(1)) || "/";
  const [path, setPath] = useState(read());
  useEffect(() => {
    const changed = () => setPath(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return path;
}

function Rail({ path, me, theme, nextTheme, signOut, openFinder }) {
  const current = (section) => (section.path === "/" ? path === "/" : path.startsWith(section.path));
  return html`<nav class="rail" aria-label="Pages">
    <a class="mark" href="#/"><img src="icons/gatepost.svg" alt="" width="28" height="28" /><span>Gatepost</span></a>
    <button type="button" class="find" onClick=${openFinder} aria-keyshortcuts="Control+K"><${Icon} name="search" /><span>Find a page</span><kbd>Ctrl K</kbd></button>
    <ul>
      ${SECTIONS.map(
        (section) => html`<li key=${section.path}>
          <a href=${`#${section.path}`} aria-current=${current(section) ? "page" : undefined}><${Icon} name=${section.icon} /><span>${section.title}</span></a>
        </li>`,
      )}
    </ul>
    <div class="foot">
      <button type="button" onClick=${nextTheme} aria-label=${`Colours: ${theme}. Change`}>
        <${Icon} name=${{ system: "sun-moon", light: "sun", dark: "moon" }[theme]} /><span>Colours: ${theme}</span>
      </button>
      ${!me.local && html`<button type="button" onClick=${signOut}><${Icon} name="door" /><span>Sign out</span></button>`}
    </div>
  </nav>`;
}

function App() {
  const [me, setMe] = useState(undefined); // undefined: not known yet; null: nobody
  const [expired, setExpired] = useState(false);
  const [online, setOnline] = useState(true);
  const [build, setBuild] = useState({ first: "", now: "" });
  const [finding, setFinding] = useState(false);
  const [practice, setPractice] = useState(false);
  const [theme, nextTheme] = useTheme();
  const path = usePath();

  const signedIn = (who) => {
    setCsrfToken(who.csrf_token);
    setMe(who);
    setExpired(false);
  };

  const askWho = async () => {
    try {
      signedIn(await call("GET", "/session", { quiet: true }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 0) setTimeout(askWho, 2000);
      else setMe(null);
    }
  };

  const askBuild = async () => {
    const hello = await get("/hello").catch(() => null);
    if (hello) setBuild((old) => ({ first: old.first || hello.build_id, now: hello.build_id }));
  };

  useEffect(() => {
    whenSignedOut(() => setExpired(true));
    askWho();
    askBuild();
    const keys = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setFinding(true);
      } else if ((event.ctrlKey || event.metaKey) && /^[1-9]$/.test(event.key) && SECTIONS[Number(event.key) - 1]) {
        event.preventDefault();
        location.hash = SECTIONS[Number(event.key) - 1].path;
      }
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);

  useEffect(() => {
    if (!me) return undefined;
    get("/status").then((status) => setPractice(status.practice_mode), () => {});
    return listen((event) => {
      if (event.topic !== "link") return;
      setOnline(event.up);
      if (event.up) askBuild();
      else call("GET", "/session", { quiet: true }).catch((error) => error.status === 401 && setExpired(true));
    });
  }, [Boolean(me)]);

  if (me === undefined) return html`<p class="loading">Loading …</p>`;
  if (me === null) return html`<${SignIn} onSignedIn=${signedIn} />`;

  const signOut = async () => {
    await remove("/session").catch(() => {});
    location.reload();
  };
  const { page, parameters } = find(path);
  document.title = `${page.title} – Gatepost`;
  return html`<div class="frame">
    <${Rail} path=${path} me=${me} theme=${theme} nextTheme=${nextTheme} signOut=${signOut} openFinder=${() => setFinding(true)} />
    <main id="content" tabindex="-1">
      ${!online && html`<div class="strip warn" role="status"><${Icon} name="plug-off" />The server does not answer. Trying again …</div>`}
      ${build.first !== build.now &&
      html`<div class="strip info" role="status"><${Icon} name="refresh" />Gatepost was updated. <a href="" onClick=${() => location.reload()}>Reload</a></div>`}
      ${practice && html`<div class="strip practice" role="status"><${Icon} name="rocket" />Practice mode – nothing leaves this computer.</div>`}
      <div class="page" key=${path}><${page.view} ...${parameters} /></div>
    </main>
    ${finding && html`<${Finder} onClose=${() => setFinding(false)} />`}
    ${expired && html`<${SignIn} onSignedIn=${signedIn} dialog />`}
    <${Toasts} />
  </div>`;
}

applyTheme(localStorage.getItem("theme") ?? "system");
render(html`<${App} />`, document.getElementById("app"));

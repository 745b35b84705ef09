// Light and dark: as the system has it, or as chosen here; kept in this browser.
import { useEffect, useState } from "./view.mjs";

export const THEMES = [["system", "System", "sun-moon"], ["light", "Light", "sun"], ["dark", "Dark", "moon"]];
const watchers = new Set();

export const theme = () => localStorage.getItem("theme") ?? "system";

export function setTheme(chosen) {
  localStorage.setItem("theme", chosen);
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  for (const watcher of watchers) watcher(chosen);
}

export function useTheme() {
  const [shown, setShown] = useState(theme());
  useEffect(() => {
    watchers.add(setShown);
    return () => watchers.delete(setShown);
  }, []);
  return shown;
}

// main.js: who is there, which view is shown.
import { whenSessionEnds } from "./api.js";
import { el, setAttribute, setText } from "./dom.js";
import { announce, startLive, stopLive } from "./live.js";
import { login, logOut, whoIsThere } from "./login.js";
import { overview } from "./overview.js";
import { isAdministrator, state } from "./state.js";
import { startTheme } from "./theme.js";
import { printable } from "./words.js";

/* What few people open is fetched when somebody does. */
const lazy = (path, name) => async (main, parameter) => (await import(path))[name](main, parameter);
const VIEWS = {
	"": { title: "Overview", show: overview },
	partition: { show: lazy("./partition.js", "partition") },
	networks: { title: "Networks", show: lazy("./networks.js", "networks") },
	images: { title: "Images", show: lazy("./images.js", "images"), who: isAdministrator },
	tokens: { title: "Tokens", show: lazy("./tokens.js", "tokens"), who: isAdministrator },
	log: { title: "Log", show: lazy("./log.js", "log") },
};
const RETRY_MS = 3000;

const main = document.getElementById("main"), bar = document.getElementById("bar"), nav = document.getElementById("nav");
let close = null, turn = 0;

function place() {
	const [view, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
	let parameter = "";
	try {
		parameter = decodeURIComponent(rest.join("/"));
	} catch {
		// Somebody wrote the address by hand: there is no such partition.
	}
	return { view: VIEWS[view] ? view : "", parameter };
}

function showNav(view) {
	nav.replaceChildren(...Object.entries(VIEWS).filter(([, each]) => each.title && (!each.who || each.who())).map(([key, each]) =>
		el("a", { href: `#/${key}`, "aria-current": key === view ? "page" : null }, each.title)));
}

async function show() {
	const mine = ++turn, { view, parameter } = place();
	if (!state.who)
		return;
	close?.();
	close = null;
	main.replaceChildren();
	showNav(view);
	document.title = `${parameter ? printable(parameter) : VIEWS[view].title} \u2013 Bulkhead`;
	const end = await VIEWS[view].show(main, parameter);
	if (mine !== turn)
		end();
	else
		close = end;
}

function leave(why) {
	turn++;
	close?.();
	close = null;
	stopLive();
	state.who = null;
	bar.hidden = true;
	document.title = "Log in \u2013 Bulkhead";
	login(main, why, enter);
}

async function enter(who) {
	state.who = who;
	setText(document.getElementById("who"), `${who.name}, ${who.role}`);
	setAttribute(document.getElementById("who"), "title", who.partitions.length ? `for ${who.partitions.map(printable).join(", ")}` : null);
	await startLive();
	bar.hidden = false;
	await show();
}

// The console may be starting anew just now.
async function begin() {
	try {
		const who = await whoIsThere();
		if (who)
			await enter(who);
		else
			leave();
	} catch (error) {
		main.replaceChildren(el("p", { class: "empty", role: "status" }, `${error.message} Trying again\u2026`));
		setTimeout(begin, RETRY_MS);
	}
}

// The address behind # is the view's, so the link to the content is one by hand.
document.querySelector(".skip").addEventListener("click", (event) => {
	event.preventDefault();
	main.focus();
});
startTheme(document.getElementById("theme"));
whenSessionEnds(() => state.who && leave("The session has ended. Log in again."));
document.getElementById("leave").addEventListener("click", () => logOut().then(() => leave()));
addEventListener("hashchange", () => show().then(() => main.querySelector("h1")?.focus({ preventScroll: true }))
	.catch((error) => announce(error.message, "bad")));
begin();

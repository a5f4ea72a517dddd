// login.js: a token is shown once and becomes a session; the cookie is the browser's, never this script's.
import { get, post, remove, setSession } from "./api.js";
import { el, setText } from "./dom.js";

// Who is logged in already, or null.
export async function whoIsThere() {
	try {
		const who = await get("/session");
		setSession(who);
		return who;
	} catch (error) {
		if (error.status === 401)
			return null;
		throw error;
	}
}

export function logOut() {
	return remove("/session").catch(() => {}).then(() => setSession(null));
}

export function login(main, why, done) {
	const token = el("input", { id: "token", type: "password", required: true, autocomplete: "current-password", spellcheck: "false",
				    maxlength: "63", "aria-describedby": "login-wrong login-hint" });
	const wrong = el("p", { class: "wrong", id: "login-wrong", role: "alert" }, why ?? "");
	const submit = el("button", { class: "primary", type: "submit" }, "Log in");

	async function go(event) {
		event.preventDefault();
		setText(wrong, "");
		submit.setAttribute("aria-disabled", "true");
		try {
			const who = await post("/session", { token: token.value.trim() });
			setSession(who);
			done(who);
		} catch (error) {
			setText(wrong, error.message);
			token.select();
		}
		submit.removeAttribute("aria-disabled");
	}

	main.replaceChildren(el("form", { class: "login panel", onsubmit: go },
		el("img", { src: "/icon.svg", alt: "", width: "48", height: "48" }), el("h1", null, "Bulkhead"),
		el("label", { for: "token" }, "Token"), token, wrong, submit,
		el("p", { class: "sub", id: "login-hint" }, "The serial console makes tokens: ", el("code", null, "token new NAME administrator"), ".")));
	token.focus();
}

/** Where Ouzel is, as this browser reaches it: `https://host/prefix`, without a slash at its end. Of `<base href>`. */
export const HOME = document.baseURI.replace(/\/[^/]*$/, "");

/** The path before all of ours: `` or `/prefix`. */
export const PREFIX = new URL(`${HOME}/`).pathname.replace(/\/$/, "");

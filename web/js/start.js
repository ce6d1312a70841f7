/**
 * The page's entry, after `orders.js`: loads the rest, or says that it cannot.
 * @module
 */
import { fail } from "./orders.js";

import("./app.js").catch(fail);

/**
 * The page's entry, after `orders.js`: loads the rest, or says that it cannot.
 */
import { fail } from "./orders.js";

import("./app.js").catch(fail);

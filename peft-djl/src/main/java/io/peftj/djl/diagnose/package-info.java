/** What adapters do inside a model, measured on real inputs. */
@NullMarked
package io.peftj.djl.diagnose;

import org.jspecify.annotations.NullMarked;

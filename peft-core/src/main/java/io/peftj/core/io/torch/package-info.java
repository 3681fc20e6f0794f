/** Parameters out of files that {@code torch.save} wrote: read as data, and nothing in them is ever run. */
@NullMarked
package io.peftj.core.io.torch;

import org.jspecify.annotations.NullMarked;

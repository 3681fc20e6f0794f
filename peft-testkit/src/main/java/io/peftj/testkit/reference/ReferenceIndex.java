package io.peftj.testkit.reference;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.MemoryMeter;

/** The uploaded form of an index. The reference's kernels read the index itself, so only its size matters. */
final class ReferenceIndex extends Buffer {
    ReferenceIndex(MemoryMeter meter, int size) {
        super(meter, (long) Long.BYTES * size);
    }

    @Override
    protected void free() {
        // Nothing is held.
    }
}

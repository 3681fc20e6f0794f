package io.peftj.core.io;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Bytes of a file, a range at a time: mapped into memory rather than read, or views of a buffer. */
@FunctionalInterface
public interface ByteRegion {
    /** At most 2 GiB of them; what is mapped outlives the channel it was made of. */
    ByteBuffer slice(long offset, long length) throws IOException;
}

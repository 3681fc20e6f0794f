package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;

/** Damages valid bytes at random and checks that a reader ends in a value or in an InvalidFileException. */
public final class Mutations {
    private Mutations() {}

    /** Runs a reader on that many damaged copies; a failure's message gives the seed and the number of the copy. */
    public static void run(byte[] valid, long seed, int count, Consumer<byte[]> reader) {
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            byte[] damaged = damage(valid, random);
            try {
                reader.accept(damaged);
            } catch (InvalidFileException expected) {
                // What a damaged file is to end in.
            } catch (RuntimeException | Error e) {
                throw new AssertionError("copy " + i + " of seed " + seed + " ended in " + e, e);
            }
        }
    }

    private static byte[] damage(byte[] valid, Random random) {
        byte[] bytes = valid.clone();
        int steps = 1 + random.nextInt(4);
        for (int i = 0; i < steps && bytes.length > 0; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                // Digits and punctuation are where headers are brittle.
                case 2 -> bytes[at] = (byte) "0123456789-.,:[]{}\"eE\\ ".charAt(random.nextInt(23));
                case 3 -> bytes = Arrays.copyOf(bytes, at);
                case 4 -> bytes = moved(bytes, at, random.nextInt(bytes.length), random.nextInt(16));
                default -> bytes[at] = bytes[random.nextInt(bytes.length)];
            }
        }
        return bytes;
    }

    /** A copy in which a few bytes stand a second time, later ones pushed back. */
    private static byte[] moved(byte[] bytes, int from, int to, int length) {
        int count = Math.min(length, bytes.length - from);
        byte[] longer = new byte[bytes.length + count];
        System.arraycopy(bytes, 0, longer, 0, to);
        System.arraycopy(bytes, from, longer, to, count);
        System.arraycopy(bytes, to, longer, to + count, bytes.length - to);
        return longer;
    }
}

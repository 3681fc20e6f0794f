package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** What all readers share: small whole files, names for messages, and what a failing disk turns into. */
public final class InputFiles {
    private InputFiles() {}

    /** Folder and file name: enough to find the file, without the path of the machine. */
    public static String shortName(Path file) {
        Path whole = file.toAbsolutePath().normalize();
        int parts = whole.getNameCount();
        return parts <= 2 ? whole.toString() : whole.subpath(parts - 2, parts).toString();
    }

    /** Refuses what is not a folder, saying what was expected of it. */
    static void requireFolder(Path folder, String expected) {
        if (!Files.isDirectory(folder)) {
            String found = Files.exists(folder) ? "a file" : "nothing";
            throw new InvalidFileException(
                    folder + ": expected " + expected + ", found " + found + " by that name; check the path");
        }
    }

    /** All bytes of a file of at most so many. */
    static byte[] readAll(Path file, int maxBytes) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(maxBytes + 1);
            if (bytes.length > maxBytes) {
                throw new InvalidFileException(shortName(file) + ": expected at most " + maxBytes
                        + " bytes, found more; this is not the file its name says");
            }
            return bytes;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** The error of a file that is absent or that the system does not let us read. */
    public static InvalidFileException unreadable(Path file, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new InvalidFileException(
                    file + " does not exist, expected a readable file; check the path or copy the file there", e);
        }
        return new InvalidFileException(file + " could not be read: " + e + "; check its permissions and the disk", e);
    }
}

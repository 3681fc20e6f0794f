package io.peftj.core.io;

import io.peftj.core.PeftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Files that are there whole or not at all: written under a temporary name in the same folder, synced, and renamed.
 *
 * <p>Readers that have the old file open or mapped keep it, since its bytes are never overwritten. A thread that is interrupted
 * writes all the same, and stays interrupted.
 */
public final class AtomicFiles {
    private static final String TEMPORARY = ".tmp";

    private AtomicFiles() {}

    /** What a file is to hold. */
    @FunctionalInterface
    public interface Content {
        /** Writes all of it, in one pass; again from the beginning where an interruption spoilt the first. */
        void writeTo(WritableByteChannel out) throws IOException;

        /** A text, in UTF-8. */
        static Content of(String text) {
            return out -> {
                ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
            };
        }
    }

    /**
     * Writes one file, making its folder where there is none and replacing the file where there is one.
     *
     * @throws PeftException if it could not be written; the file is then as it was before
     */
    public static void write(Path file, Content content) {
        Path absolute = file.toAbsolutePath();
        Path folder = absolute.getParent();
        Path name = absolute.getFileName();
        if (folder == null || name == null) {
            throw new IllegalArgumentException("expected the path of a file, found the root " + file);
        }
        try {
            Files.createDirectories(folder);
            uninterrupted(() -> replace(folder, Map.of(name.toString(), content)));
        } catch (IOException e) {
            throw unwritable(file, e);
        }
    }

    /**
     * Writes several files of one folder as a unit.
     *
     * <p>A folder that does not exist yet appears with all files at once. In one that exists, all files are written and
     * synced before the first is renamed, in the map's order; other files there are left alone.
     *
     * @param contents by file name
     * @throws PeftException if they could not be written; nothing half-written is left
     */
    public static void writeTogether(Path folder, Map<String, Content> contents) {
        try {
            if (Files.exists(folder)) {
                uninterrupted(() -> replace(folder, contents));
            } else {
                uninterrupted(() -> create(folder.toAbsolutePath(), contents));
            }
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    /**
     * Deletes what a process that was killed while it wrote a file left beside it. Nobody may be writing the file.
     *
     * @throws PeftException if something is there that cannot be deleted
     */
    public static void deleteLeftovers(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            return;
        }
        String beginning = "." + file.getFileName() + ".";
        DirectoryStream.Filter<Path> temporary = other -> {
            String name = other.getFileName().toString();
            return name.startsWith(beginning) && name.endsWith(TEMPORARY);
        };
        try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(folder, temporary)) {
            for (Path leftover : leftovers) {
                Files.deleteIfExists(leftover);
            }
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    private interface Writing {
        void run() throws IOException;
    }

    /** Java closes channels under a thread that is interrupted; what was written by then is thrown away and written again. */
    private static void uninterrupted(Writing writing) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    writing.run();
                    return;
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void replace(Path folder, Map<String, Content> contents) throws IOException {
        Map<Path, Path> staged = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, Content> entry : contents.entrySet()) {
                Path temporary = temporary(folder, entry.getKey());
                staged.put(temporary, folder.resolve(entry.getKey()));
                writeSynced(temporary, entry.getValue());
            }
            for (Map.Entry<Path, Path> entry : staged.entrySet()) {
                Files.move(entry.getKey(), entry.getValue(), StandardCopyOption.ATOMIC_MOVE);
            }
            syncFolder(folder);
        } finally {
            for (Path temporary : staged.keySet()) {
                Files.deleteIfExists(temporary);
            }
        }
    }

    private static void create(Path folder, Map<String, Content> contents) throws IOException {
        Path parent = folder.getParent();
        Path name = folder.getFileName();
        if (parent == null || name == null) {
            throw new IllegalArgumentException("expected the path of a folder, found the root " + folder);
        }
        Files.createDirectories(parent);
        Path temporary = temporary(parent, name.toString());
        Files.createDirectory(temporary);
        try {
            for (Map.Entry<String, Content> entry : contents.entrySet()) {
                writeSynced(temporary.resolve(entry.getKey()), entry.getValue());
            }
            syncFolder(temporary);
            Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
            syncFolder(parent);
        } finally {
            deleteFolder(temporary);
        }
    }

    /** A name beside the target: a rename is atomic only within one file system. */
    private static Path temporary(Path folder, String name) {
        boolean plain = Path.of(name).getNameCount() == 1 && !name.isEmpty() && !name.equals(".") && !name.equals("..");
        if (!plain) {
            throw new IllegalArgumentException("expected a plain file name, found \"" + name + "\"");
        }
        return folder.resolve(
                "." + name + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + TEMPORARY);
    }

    private static void writeSynced(Path file, Content content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            content.writeTo(channel);
            channel.force(true);
        }
    }

    /** Makes the rename itself survive a power failure, where the system lets a folder be opened. */
    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows opens no folders; its renames are journalled by the file system.
        }
    }

    private static void deleteFolder(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }

    private static PeftException unwritable(Path target, IOException e) {
        return new PeftException(
                target + " could not be written: " + reason(e)
                        + "; check that the folder is writable, that the disk has space and that nobody holds the file",
                e);
    }

    private static String reason(IOException e) {
        @Nullable String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : e.getClass().getSimpleName() + " " + message;
    }
}

package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import picocli.CommandLine;

/** A folder with a jar, the peer's scripts and a place for results, in which the command can be run. */
final class Sandbox {
    private final Path folder;

    Sandbox(Path folder) throws IOException {
        this.folder = folder;
        Path peer = Files.createDirectory(folder.resolve("peer"));
        for (String script : List.of("bench_peft.py", "prototype_step.py", "quality_peft.py", "sft_peft.py")) {
            Files.createFile(peer.resolve(script));
        }
        try (OutputStream file = Files.newOutputStream(jar());
                ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.putNextEntry(new ZipEntry("META-INF/maven/io.peftj/peft-examples/pom.properties"));
            zip.write("version=1.2.3\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    /** How the command ended, and what it printed. */
    record Ended(int exitCode, String out, String err) {}

    /** Runs the command with the folder's sides. */
    Ended run(Processes processes, Object... arguments) {
        List<String> words =
                new ArrayList<>(Stream.of(arguments).map(String::valueOf).toList());
        words.addAll(List.of("--model", folder.resolve("Tiny Model").toString()));
        words.addAll(List.of(
                "--jar", jar().toString(), "--peer", folder.resolve("peer").toString()));
        words.addAll(List.of("--out", folder.resolve("out").toString()));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = CompareCommand.commandLine(processes)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true));
        int exitCode = command.execute(words.toArray(String[]::new));
        return new Ended(exitCode, out.toString(), err.toString());
    }

    Path jar() {
        return folder.resolve("peft.jar");
    }

    Path out(String name) {
        return folder.resolve("out").resolve(name);
    }

    JsonObject json(String name) {
        return Json.read(out(name));
    }
}

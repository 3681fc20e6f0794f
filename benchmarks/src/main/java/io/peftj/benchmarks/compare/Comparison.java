package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.BarChart;
import io.peftj.benchmarks.report.Machine;
import io.peftj.core.PeftException;
import io.peftj.core.io.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import picocli.CommandLine;

/** From options to a file of runs, a table and a picture. */
final class Comparison {
    private static final String BUILD = "mvn -q package -pl peft-examples -am -DskipTests";
    private static final String PROPERTIES = "META-INF/maven/io.peftj/peft-examples/pom.properties";
    private static final String VERSIONS = "import importlib.metadata as m, json; "
            + "print(json.dumps({p: m.version(p) for p in ('peft', 'torch', 'transformers')}))";
    private static final int WIDTH = 1200;
    private static final int GROUP_WIDTH = 150;
    private static final int PANEL_HEIGHT = 420;

    private final Processes processes;

    Comparison(Processes processes) {
        this.processes = processes;
    }

    /**
     * Runs what is not in the file yet, then prints the table and draws the picture.
     *
     * @throws PeftException if a side is not there, fails, or the file was begun under other conditions
     */
    void run(Workload workload, CompareOptions options, CommandLine command) {
        Machine machine = Machine.here();
        JsonObject settings = workload.settings();
        JsonObject conditions = new JsonObject();
        conditions.add("machine", machine.json());
        JsonObject versions = versions(workload, options);
        conditions.add("versions", versions);
        conditions.add("settings", settings);
        String name = usualName(settings);
        RunLog log = RunLog.open(options.result(name, ".json"), conditions, workload.metrics());
        PrintWriter err = command.getErr();
        new Sitting(workload, processes, log, err).run(options.cases(), options.rounds());
        Summary summary = log.summary();
        Path picture = options.result(name, ".png");
        List<String> heading = List.of(
                "peft bench " + workload.name() + ", " + CompareOptions.nameOf(options.model()) + ": "
                        + workload.title() + ", " + options.threads() + " threads",
                machine.title(),
                versions.entrySet().stream()
                                .map(entry ->
                                        entry.getKey() + " " + entry.getValue().getAsString())
                                .collect(Collectors.joining(", "))
                        + "; bars are medians, whiskers reach from the least to the greatest");
        long cases = summary.lines().stream().map(Summary.Line::of).distinct().count();
        new BarChart(heading, SummaryPanels.of(summary))
                .write(picture, Math.max(WIDTH, GROUP_WIDTH * Math.toIntExact(cases)), PANEL_HEIGHT);
        command.getOut().print(summary.text());
        command.getOut().flush();
        err.println("written: " + log.file() + ", " + picture);
        err.flush();
    }

    private static String usualName(JsonObject settings) {
        String workload = settings.get("workload").getAsString();
        String model = settings.get("model").getAsString();
        return settings.has("data")
                ? CompareOptions.fileName(workload, model, settings.get("data").getAsString())
                : CompareOptions.fileName(workload, model);
    }

    private JsonObject versions(Workload workload, CompareOptions options) {
        if (!Files.exists(options.jar())) {
            throw new PeftException(
                    options.jar() + " does not exist; make it by " + BUILD + " in the checkout, or name it by --jar");
        }
        for (String script : workload.scripts()) {
            if (!Files.exists(options.peer().resolve(script))) {
                throw new PeftException(
                        options.peer() + " has no " + script + "; --peer names the folder with the peer's scripts");
            }
        }
        Processes.Outcome outcome = processes.run(List.of(options.python(), "-c", VERSIONS));
        if (outcome.exitCode() != 0) {
            throw new PeftException(options.python() + " lacks what the peer needs: " + outcome.lastError()
                    + "; --python names one that has torch, transformers and peft");
        }
        JsonObject versions = Json.parse(String.join("", outcome.out()), options.python());
        versions.addProperty("peftj", version(options.jar()));
        return versions;
    }

    /** The version that Maven wrote into a jar. */
    private static String version(Path jar) {
        Properties properties = new Properties();
        try (JarFile file = new JarFile(jar.toFile())) {
            ZipEntry entry = file.getEntry(PROPERTIES);
            if (entry != null) {
                try (InputStream in = file.getInputStream(entry)) {
                    properties.load(in);
                }
            }
        } catch (IOException e) {
            throw new PeftException(jar + " cannot be read as a jar: " + e.getMessage() + "; make it by " + BUILD, e);
        }
        return properties.getProperty("version", "unknown");
    }
}

package io.peftj.methods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.peftj.core.adapter.BackboneSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Checkpoints written by Hugging Face PEFT; tests that need them skip where they are absent. */
public final class Reference {
    private static final List<String> MODELS = List.of(
            "llama",
            "llama3-rope",
            "llama-v4-sharded",
            "mistral",
            "qwen2",
            "qwen3",
            "gpt2",
            "llama-classifier",
            "bert",
            "roberta");

    private Reference() {}

    /** An adapter and its base. */
    public record Case(Path folder) {
        /** The base's spec. */
        public BackboneSpec spec() {
            return ModelSpecs.of(folder.resolveSibling("base"));
        }

        @Override
        public String toString() {
            return folder.getParent().getFileName() + "/" + folder.getFileName();
        }
    }

    /** The folder of all cases. */
    public static Path fixtures() {
        Path folder = Path.of(System.getProperty("peft.reference.dir", "../../shared"), "fixtures", "peft");
        assumeTrue(Files.isDirectory(folder), "no reference checkpoints, set -Dpeft.reference.dir");
        return folder;
    }

    /** The spec of a reference model. */
    public static BackboneSpec spec(String model) {
        return ModelSpecs.of(fixtures().resolve(model).resolve("base"));
    }

    /** One case. */
    public static Case of(String model, String adapter) {
        return new Case(fixtures().resolve(model).resolve(adapter));
    }

    /** All cases whose name matches, of the models whose specs can be made here. */
    public static List<Case> cases(String regex, int atLeast) throws IOException {
        try (Stream<Path> files = Files.walk(fixtures(), 2)) {
            List<Case> found = files.filter(file ->
                            MODELS.contains(String.valueOf(file.getParent().getFileName())))
                    .filter(file -> file.getFileName().toString().matches(regex))
                    .sorted()
                    .map(Case::new)
                    .toList();
            assertThat(found).hasSizeGreaterThanOrEqualTo(atLeast);
            return found;
        }
    }
}

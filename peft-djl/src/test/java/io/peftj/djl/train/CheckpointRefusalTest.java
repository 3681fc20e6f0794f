package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a run does not go on from, and what it says. */
class CheckpointRefusalTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(2).build();
    private static final List<LabelledText> TRAIN = Sentences.opinions().subList(0, 16);
    private static final List<LabelledText> VALIDATION = Sentences.opinions().subList(16, 24);

    private Checkpoints checkpoints() {
        return Checkpoints.in(folder.resolve("checkpoints"));
    }

    private Path file() {
        return folder.resolve("checkpoints").resolve("checkpoint.safetensors");
    }

    private void train(Backbone base) {
        opinions(base, LORA).checkpoints(checkpoints()).fit(TRAIN, VALIDATION);
    }

    private void resume(AdapterTrainer<LabelledText> trainer) {
        trainer.checkpoints(checkpoints().resume()).fit(TRAIN, VALIDATION);
    }

    private static Stream<Arguments> otherSettings() {
        return Stream.of(
                setting("recipe.epochs is 1 there and 2 here", trainer -> trainer.epochs(2)),
                setting("recipe.seed is 0 there and 7 here", trainer -> trainer.seed(7)),
                setting("recipe.batching.rows is 8 there and 4 here", trainer -> trainer.batchSize(4)),
                setting(
                        "recipe.batching.rows is 8 there and absent here, recipe.batching.tokens is absent there and 8 here",
                        trainer -> trainer.batching(Batching.tokens(8))),
                setting("recipe.microBatch is 0 there and 3 here", trainer -> trainer.microBatchSize(3)),
                setting(
                        "recipe.optimizer.learningRate is 0.01 there and 0.02 here",
                        trainer -> trainer.learningRate(0.02)),
                setting("recipe.optimizer.beta2 is 0.999 there and 0.99 here", trainer -> trainer.betas(0.9, 0.99)),
                setting("recipe.optimizer.eps is 1.0E-8 there and 1.0E-6 here", trainer -> trainer.epsilon(1e-6)),
                setting("recipe.optimizer.weightDecay is 0.0 there and 0.1 here", trainer -> trainer.weightDecay(0.1)),
                setting(
                        "recipe.schedule.decay is LINEAR there and COSINE here",
                        trainer -> trainer.schedule(Schedule.cosine().warmUp(0.06))),
                setting("recipe.clipNorm is 1.0 there and 2.0 here", trainer -> trainer.clipNorm(2)),
                setting("recipe.patience is 0 there and 1 here", trainer -> trainer.earlyStopping(1)),
                setting(
                        "recipe.metric.name is accuracy there and macro_f1 here",
                        trainer -> trainer.bestBy(Metric.MACRO_F1)));
    }

    private static Arguments setting(String message, UnaryOperator<AdapterTrainer<LabelledText>> change) {
        return Arguments.of(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("otherSettings")
    void anotherRecipeIsRefusedByField(String message, UnaryOperator<AdapterTrainer<LabelledText>> change) {
        try (Backbone base = bert()) {
            train(base);
            assertThatThrownBy(() -> resume(change.apply(opinions(base, LORA))))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessage(file() + " is of a run with other settings or data: " + message
                            + "; resume it with those it was begun with, or begin anew in another folder");
        }
    }

    @Test
    void anotherMethodIsRefusedByField() {
        try (Backbone base = bert()) {
            train(base);
            assertThatThrownBy(() ->
                            resume(opinions(base, LoraConfig.builder().rank(3).build())))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("method.lora_alpha is 4 there and 6 here, method.r is 2 there and 3 here;");
        }
    }

    @Test
    void otherTasksAndDataAreRefused() {
        List<LabelledText> swapped = new ArrayList<>(TRAIN);
        Collections.swap(swapped, 0, 1);
        try (Backbone base = bert()) {
            train(base);
            Checkpoints resumed = checkpoints().resume();
            assertThatThrownBy(() -> AdapterTrainer.on(base)
                            .method(LORA)
                            .task(Tasks.classification(List.of("blame", "praise"))
                                    .maxLength(16))
                            .batchSize(8)
                            .learningRate(1e-2)
                            .epochs(1)
                            .checkpoints(resumed)
                            .fit(TRAIN, VALIDATION))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining(
                            "task.labels is [\"praise\",\"blame\"] there and [\"blame\",\"praise\"] here");
            assertThatThrownBy(() -> AdapterTrainer.on(base)
                            .method(LORA)
                            .task(Tasks.classification(Sentences.LABELS)
                                    .maxLength(16)
                                    .labelSmoothing(0.1)
                                    .classWeights(Map.of("praise", 2.0)))
                            .batchSize(8)
                            .learningRate(1e-2)
                            .epochs(1)
                            .checkpoints(resumed)
                            .fit(TRAIN, VALIDATION))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("objective.classWeights is [] there and [2.0,1.0] here,"
                            + " objective.labelSmoothing is 0.0 there and 0.1 here;");
            assertThatThrownBy(() -> opinions(base, LORA).checkpoints(resumed).fit(TRAIN.subList(1, 16), VALIDATION))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("train.examples is 16 there and 15 here, train.tokens_and_labels is ");
            assertThatThrownBy(() -> opinions(base, LORA).checkpoints(resumed).fit(swapped, VALIDATION))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageMatching(".*data: train\\.tokens_and_labels is \\w{16} there and \\w{16} here; .*");
            assertThatThrownBy(() -> opinions(base, LORA).checkpoints(resumed).fit(TRAIN, TRAIN))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("validation.examples is 8 there and 16 here");
        }
    }

    @Test
    void anotherBaseIsRefused() {
        try (Backbone base = bert();
                Backbone other = Backbones.load(TinyModels.bert(folder.resolve("other"), 2), backend(), DType.F32)) {
            train(base);
            assertThatThrownBy(() -> resume(opinions(other, LORA)))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageStartingWith(file() + " is of a run on another base model, recorded for the base bert")
                    .hasMessageContaining("so the weights are others; resume it with that model");
        }
    }

    @Test
    void anotherRunsCheckpointIsNotReplaced() {
        try (Backbone base = bert()) {
            train(base);
            assertThatThrownBy(() -> train(base))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessage(file() + " is another run's checkpoint, which this run would replace; resume that run,"
                            + " name another folder, or delete the file");
        }
    }

    @Test
    void aPlaceThatIsNoFolderIsRefusedBeforeTraining() throws IOException {
        Path notAFolder = Files.writeString(folder.resolve("file"), "");
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA)
                            .checkpoints(Checkpoints.in(notAFolder))
                            .fit(TRAIN))
                    .isInstanceOf(PeftException.class)
                    .hasMessageStartingWith(notAFolder + " cannot hold checkpoints: ")
                    .hasMessageEndingWith("; name a folder");
        }
    }

    /** A file of any length but the whole one, as a torn write would leave it. */
    @Test
    void halfACheckpointIsRefused() throws IOException {
        try (Backbone base = bert()) {
            train(base);
            byte[] whole = Files.readAllBytes(file());
            for (int length : new int[] {0, 5, 300, whole.length / 2, whole.length - 1}) {
                Files.write(file(), Arrays.copyOf(whole, length));
                assertThatThrownBy(() -> resume(opinions(base, LORA)))
                        .as("%d of %d bytes", length, whole.length)
                        .isInstanceOf(InvalidFileException.class)
                        .hasMessageStartingWith(file() + " cannot be resumed from: checkpoint.safetensors: expected ")
                        .hasMessageEndingWith("; to begin anew, delete it");
            }
        }
    }

    /** A file of the right length with a sector of zeros, and one with a single bit the other way round. */
    @Test
    void aTornCheckpointIsRefused() throws IOException {
        try (Backbone base = bert()) {
            train(base);
            byte[] whole = Files.readAllBytes(file());
            List<Consumer<byte[]>> damages = List.of(
                    bytes -> Arrays.fill(bytes, bytes.length - 512, bytes.length, (byte) 0),
                    bytes -> bytes[bytes.length - 1] ^= 1,
                    bytes -> {
                        String text = new String(bytes, StandardCharsets.ISO_8859_1);
                        bytes[text.indexOf("not_better\\\":0") + 13] = '1';
                    });
            for (Consumer<byte[]> damage : damages) {
                byte[] torn = whole.clone();
                damage.accept(torn);
                Files.write(file(), torn);
                assertThatThrownBy(() -> resume(opinions(base, LORA)))
                        .isInstanceOf(InvalidFileException.class)
                        .hasMessage(file() + " cannot be resumed from: its content is not what was written, by the hash"
                                + " it carries; to begin anew, delete it");
            }
        }
    }

    @Test
    void aCheckpointThatLacksAPartIsRefusedByThePartsName() {
        try (Backbone base = bert()) {
            train(base);
            rewrite(metadata -> metadata.remove("peftj_checkpoint"), name -> true);
            assertThatThrownBy(() -> resume(opinions(base, LORA)))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("it lacks the part peftj_checkpoint of its metadata");
        }
        try (Backbone base = bert()) {
            deleteCheckpoint();
            train(base);
            rewrite(metadata -> {}, name -> !name.equals("first_moment/base_model.model.classifier.bias"));
            assertThatThrownBy(() -> resume(opinions(base, LORA)))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("it lacks the part first_moment/base_model.model.classifier.bias");
        }
    }

    /** What a process that was killed while it wrote leaves. */
    @Test
    void aHalfWrittenNewCheckpointIsNoHindranceAndGoesAway() throws IOException {
        try (Backbone base = bert()) {
            train(base);
            Path leftover = Files.writeString(folder.resolve("checkpoints/.checkpoint.safetensors.1f.tmp"), "half");
            resume(opinions(base, LORA));
            assertThat(leftover).doesNotExist();
        }
    }

    @Test
    void anotherEnvironmentIsToldAndDoesNotHinder() {
        Journal journal = new Journal();
        try (Backbone base = bert()) {
            train(base);
        }
        Checkpoint checkpoint = CheckpointFile.read(file());
        Map<String, String> environment = new TreeMap<>(checkpoint.run().environment());
        environment.put("threads", "64");
        RunDescription elsewhere = new RunDescription(
                checkpoint.run().settings(), environment, checkpoint.run().base());
        CheckpointFile.write(file(), new Checkpoint(elsewhere, checkpoint.progress(), checkpoint.parameters()));
        try (Backbone base = bert()) {
            resume(opinions(base, LORA).listener(journal));
        }
        assertThat(journal.resumptions())
                .singleElement()
                .satisfies(
                        resumed -> assertThat(resumed.elsewhere()).containsExactly("threads is 64 there and 1 here"));
    }

    @Test
    void rulesThatMeanNothingAreRefused() {
        assertThatThrownBy(() -> checkpoints().everySteps(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("steps between checkpoints: expected at least 1, found -1");
        assertThatThrownBy(() -> checkpoints().every(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("time between checkpoints: expected more than none, found PT0S");
    }

    private void deleteCheckpoint() {
        try {
            Files.delete(file());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void rewrite(Consumer<Map<String, String>> change, Predicate<String> kept) {
        try (Safetensors checkpoint = Safetensors.open(file())) {
            Map<String, String> metadata = new TreeMap<>(checkpoint.metadata());
            change.accept(metadata);
            SafetensorsWriter.write(
                    file(),
                    checkpoint.names().stream()
                            .filter(kept)
                            .map(checkpoint::find)
                            .toList(),
                    metadata);
        }
    }
}

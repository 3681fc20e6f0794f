package io.peftj.methods.reft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.reft.PyreftDirectory.Positions;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders that pyreft wrote give adapters that do what pyreft's interventions do. */
class PyreftDirectoryTest {
    private static final Positions BOTH = new Positions(7, 7);
    private static final String FILE = "intkey_layer_0_comp_block_output_unit_pos_nunit_1#0.safetensors";

    @TempDir
    private Path folder;

    private static Path saved(String name) {
        try {
            return Path.of(Objects.requireNonNull(PyreftDirectoryTest.class.getResource("pyreft"))
                            .toURI())
                    .resolve(name);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Adapter convert(Path folder) {
        return PyreftDirectory.open(folder).convert(BOTH, TaskType.CAUSAL_LM);
    }

    @ParameterizedTest
    @CsvSource({
        "loreft-untied, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.first, LOREFT",
        "loreft-untied, layer_1_comp_block_output_unit_pos_nunit_1#0, layers.1.first, LOREFT",
        "loreft-untied, layer_0_comp_block_output_unit_pos_nunit_1#1, layers.0.last, LOREFT",
        "loreft-untied, layer_1_comp_block_output_unit_pos_nunit_1#1, layers.1.last, LOREFT",
        "loreft-by-name, comp_model_layers[1]_output_unit_pos_nunit_1#0, layers.1.all, LOREFT",
        "loreft-trained-on, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, NOREFT",
        "direft, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, DIREFT",
        "nodireft, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, DIREFT",
        "noreft, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, NOREFT",
        "noreft-one-bias, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, NOREFT",
        "consreft, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, CONSREFT",
        "lobireft, layer_0_comp_block_output_unit_pos_nunit_1#0, layers.0.all, LOBIREFT"
    })
    void editsEqualPyrefts(String name, String key, String parameters, ReftVariant variant) {
        Adapter adapter = convert(saved(name));

        assertThat(((ReftConfig) adapter.config()).variant()).isEqualTo(variant);
        assertEdits(saved(name), key, adapter, parameters, 1e-5);
    }

    /** pyreft's parameters are bfloat16 unless said otherwise, and so is its arithmetic then. */
    @Test
    void parametersInBfloat16AreRead() {
        assertEdits(
                saved("loreft-bfloat16"),
                "layer_1_comp_block_output_unit_pos_nunit_1#0",
                convert(saved("loreft-bfloat16")),
                "layers.1.all",
                0.03);
    }

    private static void assertEdits(Path folder, String key, Adapter adapter, String parameters, double tolerance) {
        ReftVariant variant = ((ReftConfig) adapter.config()).variant();
        try (Safetensors expected = Safetensors.open(folder.resolve("expected.tensors"))) {
            Matrix h = Matrix.of(expected.find("h").toHostTensor());
            double[] found =
                    edited(h, variant, adapter.parameters(), parameters).values();
            float[] theirs = expected.find(key).toFloats();
            assertThat(found).hasSameSizeAs(theirs);
            for (int i = 0; i < theirs.length; i++) {
                assertThat(found[i]).isCloseTo(theirs[i], within(tolerance));
            }
        }
    }

    /** The formulas of the paper, one state a column: h + Rᵀ(Wh + b − Rh) and so on. */
    private static Matrix edited(Matrix rows, ReftVariant variant, Map<String, HostTensor> all, String name) {
        Matrix h = rows.transpose();
        Matrix r = matrix(all.get(name + ".rotate"));
        double[] b =
                matrix(all.get(name + ".bias").reshape(Shape.of(1, r.rows()))).values();
        @Nullable HostTensor w = all.get(name + ".weight");
        Matrix inner =
                w == null ? Matrix.zeros(r.rows(), h.columns()) : matrix(w).times(h);
        boolean subtracts = variant != ReftVariant.DIREFT && variant != ReftVariant.LOBIREFT;
        Matrix rotated = r.times(h);
        double[] change = new double[r.rows() * h.columns()];
        for (int i = 0; i < change.length; i++) {
            change[i] = inner.values()[i] + b[i / h.columns()] - (subtracts ? rotated.values()[i] : 0);
        }
        double[] delta =
                r.transpose().times(Matrix.of(r.rows(), h.columns(), change)).values();
        double[] sum = h.values().clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += delta[i];
        }
        return Matrix.of(h.rows(), h.columns(), sum).transpose();
    }

    private static Matrix matrix(HostTensor tensor) {
        return Matrix.of(tensor);
    }

    @Test
    void settingsAreThoseOfThePyreftRun() {
        ReftConfig untied = (ReftConfig) PyreftDirectory.open(saved("loreft-untied"))
                .convert(Positions.parse("f3+l5"), TaskType.SEQ_CLS)
                .config();

        assertThat(untied)
                .isEqualTo(ReftConfig.builder()
                        .rank(2)
                        .layers(List.of(0, 1))
                        .positions(3, 5)
                        .shareWeights(false)
                        .lengthOffset(-1)
                        .headOfTask(false)
                        .taskType(TaskType.SEQ_CLS)
                        .build());
        assertThat(((ReftConfig) convert(saved("direft")).config()).shareWeights())
                .isTrue();
    }

    @Test
    void positionsAreWrittenAsPyreftWritesThem() {
        assertThat(Positions.parse("f3")).isEqualTo(new Positions(3, 0));
        assertThat(Positions.parse("l1")).isEqualTo(new Positions(0, 1));
        assertThat(Positions.parse("f7+l5")).isEqualTo(new Positions(7, 5));
        assertThatThrownBy(() -> Positions.parse("7+5"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("positions: expected something like f7+l7, f3 or l1, as pyreft's position argument, found"
                        + " 7+5");
    }

    @Test
    void twoSetsNeedPositionsAtBothEnds() {
        assertThatThrownBy(() -> PyreftDirectory.open(saved("loreft-untied")).convert(new Positions(3, 0), null))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("pyreft/loreft-untied: expected positions such as f7+l7, since layers have two sets of"
                        + " parameters, found f3+l0; say what it was trained with");
    }

    @Test
    void foldersOfOthersAreRefused() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");

        assertThatThrownBy(() -> PyreftDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageEndingWith("config.json: expected a list of interventions, as many as under"
                        + " \"intervention_types\" under \"representations\", found no such key; check that pyreft saved"
                        + " this folder");
    }

    @Test
    void otherPlacesAreRefused() throws IOException {
        copy("direft");
        change(config ->
                config.getAsJsonArray("representations").get(0).getAsJsonArray().set(1, text("mlp_output")));
        assertRefused("expected interventions at \"block_output\" or at a layer's \"….layers[0].output\" under"
                + " \"representations\"");

        change(config -> config.getAsJsonArray("representations").set(0, text("layer 0")));
        assertRefused("expected lists of layer, component, unit and so on under \"representations\"");
    }

    @Test
    void otherClassesAreRefused() throws IOException {
        copy("direft");
        change(config -> config.getAsJsonArray("intervention_types").set(0, text("<class 'mine.Intervention'>")));

        assertRefused("expected classes among [LoreftIntervention, DireftIntervention, NodireftIntervention,"
                + " NoreftIntervention, ConsreftIntervention, LobireftIntervention] under \"intervention_types\", found"
                + " [\"<class 'mine.Intervention'>\"]; others are not of the family, or not implemented");
    }

    @Test
    void filesOfAnotherClassAreRefused() throws IOException {
        copy("direft");
        change(config ->
                config.getAsJsonArray("intervention_types").set(0, text("<class 'pyreft.LoreftIntervention'>")));

        assertRefused("expected a tensor \"rotate_layer\", found none of 6 by this name");
    }

    @Test
    void missingFilesAreRefused() throws IOException {
        copy("direft");
        Files.delete(folder.resolve(FILE));

        assertRefused(FILE + " does not exist, expected a readable file; check the path or copy the file there");
    }

    @Test
    void picklesAreRefused() throws IOException {
        copy("loreft-by-name");
        Files.write(folder.resolve("intkey_layer_0.bin"), new byte[] {1});

        assertRefused(
                "expected safetensors, found the pickle intkey_layer_0.bin, which can run any code when it is loaded");
    }

    @Test
    void parametersOfTheModelAreNotLeftOutSilently() throws IOException {
        copy("direft");
        Files.write(folder.resolve("pytorch_model.bin"), new byte[] {1});

        assertRefused(
                "expected the files of the interventions in config.json, found pytorch_model.bin too; parameters of"
                        + " the model itself are not converted");
    }

    @Test
    void interleavedLayersAreRefused() throws IOException {
        copy("loreft-untied");
        change(config -> {
            JsonArray places = config.getAsJsonArray("representations");
            JsonElement second = places.get(1);
            places.set(1, places.get(2));
            places.set(2, second);
        });

        assertRefused(
                "expected each layer once, or all of them twice in the same order, for first and for last positions,"
                        + " found [0, 0, 1, 1]");
    }

    @Test
    void mixedClassesAreRefused() throws IOException {
        copy("loreft-untied");
        change(config ->
                config.getAsJsonArray("intervention_types").set(1, text("<class 'pyreft.NoreftIntervention'>")));

        assertRefused("expected interventions of one class, found [LoreftIntervention, NoreftIntervention]");
    }

    private interface Change {
        void to(JsonObject config);
    }

    private static JsonPrimitive text(String text) {
        return new JsonPrimitive(text);
    }

    private void copy(String name) throws IOException {
        try (Stream<Path> files = Files.list(saved(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    private void change(Change change) throws IOException {
        JsonObject config = Json.read(folder.resolve("config.json"));
        change.to(config);
        Files.writeString(folder.resolve("config.json"), config.toString());
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> convert(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }
}

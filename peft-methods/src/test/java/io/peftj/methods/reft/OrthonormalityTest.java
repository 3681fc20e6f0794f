package io.peftj.methods.reft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.StoredType;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Files whose R is no rotation were made by something that lost it, such as pyreft where it trained a loaded adapter on. */
class OrthonormalityTest {
    private static final BackboneSpec MODEL = TinyModels.llama(2);
    private static final String LAST = "layers.1.all.rotate";

    @TempDir
    private Path folder;

    private static Adapter adapter(ReftVariant variant, float byWhichRIsStretched) {
        ReftConfig config = AdapterMethods.complete(
                MODEL, ReftConfig.builder().variant(variant).rank(2).build());
        Map<String, HostTensor> parameters =
                new LinkedHashMap<>(AdapterMethods.plan(MODEL, config).initialise(TestContext.EMPTY));
        parameters.computeIfPresent(LAST, (name, r) -> scaled(r, byWhichRIsStretched));
        return new Adapter("LOREFT", config, parameters, TaskData.NONE, null, new JsonObject());
    }

    private static HostTensor scaled(HostTensor r, float factor) {
        float[] values = r.values().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
        return HostTensor.of(r.shape(), values);
    }

    @Test
    void aFileWhoseRowsAreNotOrthonormalIsRefused() {
        AdapterFiles.save(adapter(ReftVariant.LOREFT, 1.25f), folder);

        for (LoadOptions options : new LoadOptions[] {LoadOptions.STRICT, LoadOptions.LENIENT}) {
            assertThatThrownBy(() -> AdapterFiles.load(folder, MODEL, options))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessage("the adapter's layers.1.all.rotate: expected orthonormal rows, no element of |R·Rᵀ − 1|"
                            + " over 1.0e-04, found 5.6e-01; save the adapter anew where it was trained, or, if it is"
                            + " meant to be free, say \"variant\": \"noreft\" in adapter_config.json");
        }
    }

    @ParameterizedTest
    @EnumSource
    void variantsThatRotateAreRefusedAndThoseWithAFreeMatrixAreNot(ReftVariant variant) {
        Adapter adapter = adapter(variant, 1.25f);

        if (variant == ReftVariant.DIREFT || variant == ReftVariant.NOREFT) {
            AdapterFiles.check(adapter, MODEL);
        } else {
            assertThatThrownBy(() -> AdapterFiles.check(adapter, MODEL))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageContaining("expected orthonormal rows")
                    .hasMessageContaining("save the adapter anew where it was trained");
        }
    }

    @Test
    void whatIsNoNumberIsRefused() {
        assertThatThrownBy(() -> AdapterFiles.check(adapter(ReftVariant.CONSREFT, Float.NaN), MODEL))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageEndingWith("found NaN; save the adapter anew where it was trained");
    }

    /** In the format that a file holds, and after another program turned it into single precision. */
    @ParameterizedTest
    @CsvSource({"F32, 1, 8", "F32, 8, 64", "F16, 1, 8", "F16, 8, 64", "BF16, 1, 8", "BF16, 8, 64", "BF16, 8, 4096"})
    void roundingToAFilesFormatIsAllowedAndNoMore(StoredType format, int rank, int width) {
        for (int seed = 0; seed < 20; seed++) {
            HostTensor r = rounded(random(rank, width, seed), format);
            assertThatCode(() -> Orthonormality.require("R", r, ReftVariant.LOREFT))
                    .as("seed %d", seed)
                    .doesNotThrowAnyException();
        }
        float aHundredth = 1.01f;
        HostTensor stretched = rounded(scaled(random(rank, width, 0), aHundredth), format);
        assertThatThrownBy(() -> Orthonormality.require("R", stretched, ReftVariant.LOREFT))
                .isInstanceOf(IncompatibleAdapterException.class);
    }

    @Test
    void deviationsAreOfEveryPairOfRows() {
        assertThat(Orthonormality.deviation(HostTensor.of(Shape.of(2, 3), 1, 0, 0, 0.5f, 1, 0)))
                .isEqualTo(0.5, within(1e-12));
        assertThat(Orthonormality.deviation(HostTensor.of(Shape.of(2, 3), 1, 0, 0, 0, 0, 0.5f)))
                .isEqualTo(0.75, within(1e-12));
    }

    private static HostTensor random(int rank, int width, int seed) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(seed, "R"));
        Matrix any = Matrix.of(random.normal(Shape.of(width, rank), 1));
        return TestContext.EMPTY.linearAlgebra().qr(any).q().transpose().toHost();
    }

    private static HostTensor rounded(HostTensor r, StoredType format) {
        return StoredTensor.floating("R", format, r.shape(), r::values).toHostTensor();
    }
}

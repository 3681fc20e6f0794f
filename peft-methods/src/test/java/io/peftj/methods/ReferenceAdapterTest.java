package io.peftj.methods;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.Reference.Case;
import io.peftj.methods.ia3.FeedForward;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every adapter of the reference cases whose method is implemented is planned name for name, and read and written without a change. */
class ReferenceAdapterTest {
    private static final String OF_PEFT = "(dora|lora|ia3|prefix|prompt|p-tuning).*";
    private static final String IMPLEMENTED = OF_PEFT + "|(pedro|(lo|di|no|cons|lobi)reft).*";

    @TempDir
    private Path folder;

    static List<Case> adapters() throws IOException {
        return Reference.cases(IMPLEMENTED, 139);
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void planHasTheNamesAndShapesOfTheFile(Case adapter) {
        Adapter loaded = AdapterFiles.load(adapter.folder(), adapter.spec(), LoadOptions.STRICT);

        AdapterPlan plan = AdapterMethods.plan(adapter.spec(), loaded.config());

        Map<String, Shape> file = shapes(adapter.folder().resolve("adapter_model.safetensors"));
        file.keySet()
                .removeIf(name -> name.contains(".modules_to_save.")
                        || name.contains(".original_module.")
                        || name.endsWith(".base_layer.weight"));
        assertThat(plan.stored().stream().collect(Collectors.toMap(ParameterSpec::name, ParameterSpec::shape)))
                .isEqualTo(file);
        boolean trainsThroughNetwork = !plan.raw().equals(plan.stored());
        assertThat(trainsThroughNetwork).isEqualTo(adapter.toString().matches(".*(prefix-mlp|p-tuning)"));
        if (!trainsThroughNetwork) {
            assertThat(plan.trainableCount())
                    .isEqualTo(file.values().stream().mapToLong(Shape::size).sum());
        }
    }

    /** A file names its targets; without them the defaults are those that PEFT wrote. */
    @ParameterizedTest
    @MethodSource("plainAdapters")
    void defaultsAreThoseOfPeft(Case adapter) {
        AdapterConfig config = AdapterFiles.load(adapter.folder()).config();

        assertThat(AdapterMethods.complete(adapter.spec(), withoutTargets(config)))
                .usingRecursiveComparison()
                .ignoringCollectionOrder()
                .isEqualTo(config);
    }

    static List<Case> plainAdapters() throws IOException {
        return Reference.cases("lora|ia3", 15);
    }

    private static AdapterConfig withoutTargets(AdapterConfig config) {
        if (config instanceof Ia3Config ia3) {
            return ia3.toBuilder()
                    .targets((Targets) null)
                    .feedForward((FeedForward) null)
                    .build();
        }
        return ((LoraConfig) config).toBuilder().targets((Targets) null).build();
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void savedAdapterHasTheSameValues(Case adapter) {
        Adapter loaded = AdapterFiles.load(adapter.folder());

        AdapterFiles.save(loaded, folder);

        Adapter again = AdapterFiles.load(folder, adapter.spec(), LoadOptions.STRICT);
        assertThat(again.config()).isEqualTo(loaded.config());
        assertThat(again.parameters().keySet()).isEqualTo(loaded.parameters().keySet());
        again.parameters()
                .forEach((name, value) -> assertThat(value.values())
                        .as(name)
                        .containsExactly(loaded.parameters().get(name).values()));
    }

    static List<Case> adaptersOfPeft() throws IOException {
        return Reference.cases(OF_PEFT, 87);
    }

    @ParameterizedTest
    @MethodSource("adaptersOfPeft")
    void savedConfigurationIsPeftsOwn(Case adapter) {
        AdapterFiles.save(AdapterFiles.load(adapter.folder()), folder);

        assertThat(config(folder)).isEqualTo(config(adapter.folder()));
    }

    /** PEFT doubles the entries of modules_to_save. */
    private static JsonObject config(Path folder) {
        JsonObject json = Json.read(folder.resolve("adapter_config.json"));
        json.remove("modules_to_save");
        return json;
    }

    private static Map<String, Shape> shapes(Path file) {
        try (Safetensors tensors = Safetensors.open(file)) {
            Map<String, Shape> shapes = new TreeMap<>();
            tensors.names().forEach(name -> shapes.put(name, tensors.find(name).shape()));
            return shapes;
        }
    }
}

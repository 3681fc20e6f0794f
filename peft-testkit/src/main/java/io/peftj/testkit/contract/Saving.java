package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Bits.assertSameBits;
import static io.peftj.testkit.contract.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What files keep. The rules are {@link AdapterMethodContract}'s. */
final class Saving {
    private Saving() {}

    static void aSavedAdapterIsTheSameWhenLoaded(ContractCase c, Path folder) throws IOException {
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);
        Subject adapter = c.randomised(AdapterMethodContract.SEED);
        Subject stored = adapter.with(adapter.stored());
        AdapterFiles.save(adapter.adapter(), folder.resolve("once"));

        Adapter saved = AdapterFiles.load(folder.resolve("once"), c.model().spec(), LoadOptions.STRICT);
        Subject loaded = Subject.of(c.model(), adapter.name(), saved);
        AdapterFiles.save(saved, folder.resolve("twice"));

        assertSameBits(
                "the loaded adapter",
                Rows.logits(c.model(), loaded.on(rows), null),
                Rows.logits(c.model(), stored.on(rows), null));
        assertClose(
                "what files hold, against what was trained",
                Rows.logits(c.model(), loaded.on(rows), null),
                Rows.logits(c.model(), adapter.on(rows), null),
                Math.max(c.model().tolerance(), 1e-5));
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            assertThat(Files.readAllBytes(folder.resolve("twice").resolve(file)))
                    .as(file)
                    .isEqualTo(Files.readAllBytes(folder.resolve("once").resolve(file)));
        }
    }
}

package io.peftj.djl.backbone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    private static final String TEXT = "the film is good";

    @TempDir
    private Path folder;

    private Tokenizer bert() {
        return Tokenizer.open(TinyModels.bert(folder.resolve("bert"), 1).resolve("tokenizer.json"));
    }

    private Tokenizer llama() {
        return Tokenizer.open(TinyModels.llama(folder.resolve("llama"), 1).resolve("tokenizer.json"));
    }

    @Test
    void putsSpecialTokensAroundATextOrNot() {
        try (Tokenizer bert = bert();
                Tokenizer llama = llama()) {
            assertThat(bert.encode(TEXT)).containsExactly(2, 6, 13, 8, 18, 3);
            assertThat(llama.encode(TEXT)).containsExactly(4, 6, 13, 8, 18);
            assertThat(bert.encodePlain(TEXT)).containsExactly(6, 13, 8, 18);
            assertThat(bert.encode("")).containsExactly(2, 3);
        }
    }

    @Test
    void aTextThatIsTooLongLosesItsEndAndSpecialTokensStay() {
        try (Tokenizer bert = bert();
                Tokenizer llama = llama()) {
            assertThat(bert.encode(TEXT, 6)).hasSize(6);
            assertThat(bert.encode(TEXT, 4)).containsExactly(2, 6, 13, 3);
            assertThat(llama.encode(TEXT, 3)).containsExactly(4, 6, 13);
            assertThat(bert.encode(TEXT, 2)).containsExactly(2, 3);
            assertThatThrownBy(() -> bert.encode(TEXT, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("have no room for the tokenizer's special tokens");
        }
    }

    @Test
    void leavesSpecialTokensOutOfTexts() {
        try (Tokenizer llama = llama()) {
            assertThat(llama.decode(4, 6, 13, 5)).isEqualTo("the film");
        }
    }

    @Test
    void copiesHaveOneFingerprintHoweverTheirFilesLook() throws IOException {
        Path file = TinyModels.bert(folder.resolve("copy"), 1).resolve("tokenizer.json");
        Files.writeString(file, Files.readString(file).replace(", ", ",\n  "));
        try (Tokenizer bert = bert();
                Tokenizer copy = Tokenizer.open(file);
                Tokenizer llama = llama()) {
            assertThat(copy.fingerprint()).isEqualTo(bert.fingerprint()).matches("[0-9a-f]{16}");
            assertThat(llama.fingerprint()).isNotEqualTo(bert.fingerprint());
        }
    }

    @Test
    void refusesWhatIsNoTokenizer() throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), "{}");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("tokenizer.json is no tokenizer.json that can be read");
    }
}

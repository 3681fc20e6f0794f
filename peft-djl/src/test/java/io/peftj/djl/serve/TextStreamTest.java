package io.peftj.djl.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.djl.backbone.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Vocabularies of 256 bytes, by GPT-2's alphabet or as SentencePiece's fall-back, and a few words. */
class TextStreamTest {
    private static final String TEXT = "Grüße, 世界! 👩‍🚀 naïve café — мир 𝒳 done";
    private static final List<String> WORDS = List.of("▁one", "▁two", "▁");
    private static final int FIRST_WORD = 256;

    @TempDir
    Path folder;

    private Tokenizer byteLevel() {
        return tokenizer(TextStreamTest::symbol, """
                {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}""");
    }

    /** With the decoder of LLaMA 2's tokenizer. */
    private Tokenizer byteFallback() {
        return tokenizer("<0x%02X>"::formatted, """
                {"type": "Sequence", "decoders": [
                  {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                  {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}""");
    }

    private Tokenizer tokenizer(IntFunction<String> token, String decoder) {
        JsonObject vocabulary = new JsonObject();
        IntStream.range(0, FIRST_WORD).forEach(b -> vocabulary.addProperty(token.apply(b), b));
        WORDS.forEach(word -> vocabulary.addProperty(word, vocabulary.size()));
        String json = """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
                 "pre_tokenizer": null, "post_processor": null, "decoder": %s,
                 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": %s, "merges": %s}}""".formatted(decoder, vocabulary, new JsonArray());
        try {
            return Tokenizer.open(Files.writeString(folder.resolve("tokenizer.json"), json));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** GPT-2's character of a byte: itself where it is visible, else one behind 255. */
    private static String symbol(int b) {
        int hidden = 0;
        for (int other = 0; other <= b; other++) {
            boolean visible = (other >= '!' && other <= '~') || (other >= 0xA1 && other != 0xAD);
            if (other == b && visible) {
                return Character.toString(b);
            }
            hidden += visible ? 0 : 1;
        }
        return Character.toString(255 + hidden);
    }

    private static int[] bytes(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, bytes.length).map(i -> bytes[i] & 0xFF).toArray();
    }

    private static List<String> pieces(TextStream stream, int... tokens) {
        List<String> pieces = new ArrayList<>();
        for (int token : tokens) {
            pieces.add(stream.add(token));
        }
        pieces.add(stream.end());
        assertThat(String.join("", pieces)).isEqualTo(stream.text());
        return pieces;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void piecesAreWholeCharactersAsSoonAsTheyAreThere(boolean fallback) {
        try (Tokenizer tokenizer = fallback ? byteFallback() : byteLevel()) {
            List<String> pieces = pieces(new TextStream(tokenizer, List.of()), bytes(TEXT));

            assertThat(String.join("", pieces)).isEqualTo(TEXT);
            assertThat(pieces.stream().filter(piece -> !piece.isEmpty()).toList())
                    .isEqualTo(TEXT.codePoints().mapToObj(Character::toString).toList());
        }
    }

    @Test
    void spacesBetweenWordsSurviveWhereAFirstOneIsStripped() {
        int one = FIRST_WORD;
        int two = FIRST_WORD + 1;
        int[] tokens = IntStream.range(0, 60).map(i -> i % 3 == 0 ? one : two).toArray();
        try (Tokenizer tokenizer = byteFallback()) {
            assertThat(String.join("", pieces(new TextStream(tokenizer, List.of()), tokens)))
                    .isEqualTo(tokenizer.decode(tokens))
                    .startsWith("one two two one");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void brokenCharactersComeOutAtLast(boolean fallback) {
        try (Tokenizer tokenizer = fallback ? byteFallback() : byteLevel()) {
            int[] cut = {'a', 0xE4, 0xB8};
            TextStream stream = new TextStream(tokenizer, List.of());
            assertThat(stream.add('a')).isEqualTo("a");
            assertThat(stream.add(0xE4)).isEmpty();
            assertThat(stream.add(0xB8)).isEmpty();
            assertThat(stream.end()).matches("\uFFFD{1,2}");
            assertThat(stream.text()).startsWith("a");
            assertThat(tokenizer.decode(cut)).contains("\uFFFD");
        }
    }

    @Test
    void anyBytesGiveWhatAllTokensTogetherGive() {
        try (Tokenizer tokenizer = byteLevel()) {
            for (int seed = 0; seed < 200; seed++) {
                CounterRandom random = CounterRandom.of(seed);
                int[] tokens = IntStream.range(0, 60)
                        .map(i -> random.nextInt(3) == 0 ? random.nextInt(256) : 'a' + random.nextInt(26))
                        .toArray();

                List<String> pieces = pieces(new TextStream(tokenizer, List.of()), tokens);

                assertThat(String.join("", pieces)).as("seed %d", seed).isEqualTo(tokenizer.decode(tokens));
            }
        }
    }

    @Test
    void aStopTextEndsItAndIsNoPartOfIt() {
        try (Tokenizer tokenizer = byteLevel()) {
            TextStream stream = new TextStream(tokenizer, List.of("STOP", "\n\n"));
            List<String> given = new ArrayList<>();
            for (int token : bytes("Go, STEP. STOP now")) {
                given.add(stream.add(token));
                if (stream.isStopped()) {
                    break;
                }
            }
            given.add(stream.end());
            assertThat(String.join("", given)).isEqualTo("Go, STEP. ").isEqualTo(stream.text());
            // What may become a stop text waits.
            assertThat(given.subList(4, 7)).containsExactly("", "", "STE");
            assertThat(stream.isStopped()).isTrue();
        }
    }

    @Test
    void theBeginningOfAStopTextThatNeverCameIsGivenAtTheEnd() {
        try (Tokenizer tokenizer = byteLevel()) {
            TextStream stream = new TextStream(tokenizer, List.of("STOP"));
            for (int token : bytes("a ST")) {
                stream.add(token);
            }
            assertThat(stream.text()).isEqualTo("a ");
            assertThat(stream.end()).isEqualTo("ST");
            assertThat(stream.text()).isEqualTo("a ST");
            assertThat(stream.isStopped()).isFalse();
        }
    }

    @Test
    void aStopTextMayLieInsideOneTokenOrAcrossSeveral() {
        try (Tokenizer tokenizer = byteFallback()) {
            TextStream inside = new TextStream(tokenizer, List.of("w"));
            inside.add(FIRST_WORD);
            assertThat(inside.add(FIRST_WORD + 1)).isEqualTo(" t");
            assertThat(inside.isStopped()).isTrue();
            TextStream across = new TextStream(tokenizer, List.of("e t"));
            assertThat(across.add(FIRST_WORD)).isEqualTo("on");
            assertThat(across.add(FIRST_WORD + 1)).isEmpty();
            assertThat(across.isStopped()).isTrue();
            assertThat(across.text()).isEqualTo("on");
        }
    }
}

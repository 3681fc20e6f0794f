package io.peftj.djl.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.Generator;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Chat templates as models bring them. */
class ChatTemplateTest extends TinyTraining {
    private static final String TURNS =
            "{% for m in messages %}{{ bos_token }} {{ m.content }} {% endfor %}{% if add_generation_prompt %}one{% endif %}";

    private Backbone withFile(String name, String content) throws IOException {
        Path model = TinyModels.llama(folder.resolve("llama"), 1);
        Files.writeString(model.resolve(name), content);
        return Backbones.load(model, backend(), DType.F32);
    }

    private static String config(String template) {
        return "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"[SEP]\", \"unk_token\": 3, \"chat_template\": "
                + template + "}";
    }

    @Test
    void aModelsTemplateAndEndTokenStandInItsTokenizerConfig() throws IOException {
        try (Backbone base = withFile("tokenizer_config.json", config("\"" + TURNS + "\""))) {
            ChatTemplate chat = base.tokenizer().chatTemplate();
            String prompt = chat.prompt(Message.user("the book"), Message.assistant("is"));
            assertThat(prompt).isEqualTo("<s> the book <s> is one");
            assertThat(base.tokenizer().encodePlain(prompt)).containsExactly(4, 6, 14, 4, 8, 29);
            assertThat(chat.conversation(List.of(Message.system("red")))).isEqualTo("<s> red ");
            // [SEP] ends chats; </s> is what config.json says.
            assertThat(base.endTokens()).containsExactly(3, 5);
        }
    }

    @Test
    void ofSeveralTemplatesTheDefaultIsTaken() throws IOException {
        String several =
                "[{\"name\": \"tool_use\", \"template\": \"tools\"}, {\"name\": \"default\", \"template\": \"usual\"}]";
        try (Backbone base = withFile("tokenizer_config.json", config(several))) {
            assertThat(base.tokenizer().chatTemplate().prompt()).isEqualTo("usual");
        }
        try (Backbone base = withFile("tokenizer_config.json", config("[{\"name\": \"x\", \"template\": \"\"}]"))) {
            ChatTemplate chat = base.tokenizer().chatTemplate();
            assertThatThrownBy(chat::prompt)
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("expected a chat template named \"default\"");
        }
    }

    @Test
    void aFileOfItsOwnComesFirst() throws IOException {
        try (Backbone base = withFile("tokenizer_config.json", config("\"old\""))) {
            assertThat(base.tokenizer().chatTemplate().prompt()).isEqualTo("old");
        }
        try (Backbone base = withFile("chat_template.jinja", "new{{ eos_token }}\n")) {
            assertThat(base.tokenizer().chatTemplate().prompt()).isEqualTo("new[SEP]");
        }
    }

    @Test
    void aTemplateThatIsNotUnderstoodMattersOnlyWhereItIsUsed() throws IOException {
        try (Backbone base = withFile("chat_template.jinja", "\n{% import 'x' %}")) {
            ChatTemplate chat = base.tokenizer().chatTemplate();
            assertThatThrownBy(() -> chat.prompt(Message.user("a")))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageStartingWith("the model's chat template, line 2: the tag \"import\" is not known");
        }
        try (Backbone base = llama()) {
            Files.delete(folder.resolve("llama").resolve("chat_template.jinja"));
        }
        try (Backbone base = llama()) {
            assertThatThrownBy(() -> base.tokenizer().chatTemplate())
                    .isInstanceOf(PeftException.class)
                    .hasMessageStartingWith("the model has no chat template: neither a chat_template.jinja nor");
        }
    }

    @Test
    void variablesOfATemplateCanBeSet() {
        ChatTemplate chat = ChatTemplate.of(
                "mine", "{{ 'thinking' if enable_thinking is defined and enable_thinking else 'quick' }}", Map.of());
        assertThat(chat.prompt()).isEqualTo("quick");
        assertThat(chat.with("enable_thinking", true).prompt()).isEqualTo("thinking");
        assertThat(chat.with("enable_thinking", null).prompt()).isEqualTo("quick");
        assertThatThrownBy(() -> ChatTemplate.of("mine", "{{", Map.of()))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("mine, line 1: a tag, or a bracket in it, has no end; expected }}");
    }

    /** A conversation's text around "{text}" is a template that the adapter keeps. */
    @Test
    void anAdapterCanLearnAndServeQuestionsInsideAConversation() {
        ChatTemplate chat = ChatTemplate.of("turns", TURNS, Map.of("bos_token", "<s>"));
        try (Backbone base = llama()) {
            Adapter adapter = AdapterTrainer.on(base)
                    .method(LoraConfig.builder().rank(8).build())
                    .task(Tasks.answers().template(chat.prompt(Message.user("{text}"))))
                    .batchSize(2)
                    .learningRate(5e-2)
                    .epochs(80)
                    .fit(List.of(new PromptAnswer("the book", "red"), new PromptAnswer("the room", "very green")));
            try (Generator generator = Generator.of(base, adapter)) {
                assertThat(generator.generate(List.of("the room", "the book")))
                        .extracting(Completion::text)
                        .containsExactly("very green", "red");
            }
        }
    }
}

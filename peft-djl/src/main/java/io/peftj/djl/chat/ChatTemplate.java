package io.peftj.djl.chat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.djl.chat.jinja.Template;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the text of a conversation that a chat model was trained on, by the template that came with the model. Immutable and thread-safe.
 *
 * <p>The text spells its special tokens out, a beginning-of-text token included where the template writes one, so it is tokenised without adding any.
 *
 * <pre>{@code
 * String prompt = base.tokenizer().chatTemplate().prompt(Message.user("What is the capital of France?"));
 * try (Generator generator = Generator.of(base)) {
 *     System.out.println(generator.generate(prompt).text());
 * }
 * }</pre>
 *
 * <p>The text of one message "{text}" is a template for adapters' tasks: {@code Tasks.answers().template(chat.prompt(Message.user("{text}")))} trains on,
 * and later serves, plain questions.
 */
public final class ChatTemplate {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String KEY = "chat_template";
    private static final List<String> SPECIAL_TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private final Supplier<Template> template;
    private final Map<String, Object> variables;

    private ChatTemplate(Supplier<Template> template, Map<String, Object> variables) {
        this.template = template;
        this.variables = variables;
    }

    /**
     * Reads a template in the part of Jinja2 that chat templates are written in.
     *
     * @param name where it comes from, for messages
     * @param variables what it may use besides the messages, such as "bos_token": strings, numbers and booleans
     * @throws InvalidConfigException if it is not well formed, with the line
     */
    public static ChatTemplate of(String name, String source, Map<String, ?> variables) {
        Template template = Template.parse(name, source);
        return new ChatTemplate(() -> template, new HashMap<>(variables));
    }

    /**
     * The template of a model: the chat_template of its tokenizer_config.json, the default one where it has several, with its special tokens.
     *
     * <p>It is parsed when it is used, so a model whose template is not understood can be opened and used without it.
     *
     * @return empty if it holds none
     */
    public static Optional<ChatTemplate> of(ConfigReader tokenizerConfig) {
        if (!tokenizerConfig.has(KEY)) {
            return Optional.empty();
        }
        return Optional.of(new ChatTemplate(
                () -> Template.parse("the model's chat template", source(tokenizerConfig)),
                new HashMap<>(specialTokens(tokenizerConfig))));
    }

    private static String source(ConfigReader config) {
        JsonElement given = config.json().get(KEY);
        if (!given.isJsonArray()) {
            return config.requiredString(KEY);
        }
        for (JsonElement one : given.getAsJsonArray()) {
            ConfigReader named = ConfigReader.of(one instanceof JsonObject object ? object : new JsonObject(), CONFIG);
            if (named.requiredString("name").equals("default")) {
                return named.requiredString("template");
            }
        }
        throw new InvalidFileException(CONFIG + ": expected a chat template named \"default\", found only others;"
                + " put the one to use into chat_template.jinja");
    }

    /** The special tokens of a tokenizer_config.json by their keys, such as "eos_token": strings, or objects that hold them. */
    public static Map<String, String> specialTokens(ConfigReader config) {
        Map<String, String> tokens = new HashMap<>();
        for (String key : SPECIAL_TOKENS) {
            JsonElement given = config.json().get(key);
            JsonElement token = given instanceof JsonObject object ? object.get("content") : given;
            if (token instanceof JsonPrimitive text && text.isString()) {
                tokens.put(key, text.getAsString());
            }
        }
        return tokens;
    }

    /**
     * The same with a variable that the template knows, such as "enable_thinking".
     *
     * @param value a string, a number or a boolean; null for None
     */
    public ChatTemplate with(String variable, @Nullable Object value) {
        Map<String, Object> more = new HashMap<>(variables);
        more.put(variable, value);
        return new ChatTemplate(template, more);
    }

    /**
     * The text of a conversation up to where the model's answer begins.
     *
     * @throws io.peftj.core.PeftException if the template refuses the messages or asks for something that is not known
     */
    public String prompt(Message... messages) {
        return prompt(List.of(messages));
    }

    /** {@link #prompt(Message...)} of a list. */
    public String prompt(List<Message> messages) {
        return render(messages, true);
    }

    /** The text of a whole conversation, whose last message is the model's. */
    public String conversation(List<Message> messages) {
        return render(messages, false);
    }

    private String render(List<Message> messages, boolean generationPrompt) {
        Map<String, Object> all = new HashMap<>();
        all.put("tools", null);
        all.put("documents", null);
        all.putAll(variables);
        all.put(
                "messages",
                messages.stream()
                        .map(message -> Map.of("role", message.role(), "content", message.content()))
                        .toList());
        all.put("add_generation_prompt", generationPrompt);
        return template.get().render(all);
    }
}

package io.peftj.djl.backbone;

import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model's tensors, whose names have or lack the prefix that the architecture gives its body: "model." in LlamaForCausalLM, nothing in LlamaModel.
 * Files do not always follow config.json; GPT-2's published ones leave "transformer." out.
 *
 * @param source the tensors under the file's names
 */
record BodyNames(TensorSource source) implements TensorSource {
    private static final List<String> PREFIXES = List.of("model.", "bert.", "roberta.", "transformer.");

    /** A parameter's name in the bare model. */
    static String withoutPrefix(String name) {
        return PREFIXES.stream()
                .filter(name::startsWith)
                .findFirst()
                .map(prefix -> name.substring(prefix.length()))
                .orElse(name);
    }

    /**
     * A name of a file as it is where another tensor of the file has another name.
     *
     * @param inFile what the file calls some tensor of the body
     * @param asMeant what it is to be called
     */
    static String renamed(String name, String inFile, String asMeant) {
        if (asMeant.length() > inFile.length() && asMeant.endsWith(inFile)) {
            String prefix = asMeant.substring(0, asMeant.length() - inFile.length());
            return name.startsWith(prefix) ? name : prefix + name;
        }
        String prefix = inFile.substring(0, Math.max(0, inFile.length() - asMeant.length()));
        return name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    }

    @Override
    public String description() {
        return source.description();
    }

    @Override
    public List<String> names() {
        return source.names();
    }

    @Override
    public boolean contains(String name) {
        return inFile(name).isPresent();
    }

    @Override
    public StoredTensor find(String name) {
        return source.find(inFile(name).orElse(name));
    }

    private Optional<String> inFile(String name) {
        Stream<String> others =
                Stream.concat(Stream.of(withoutPrefix(name)), PREFIXES.stream().map(prefix -> prefix + name));
        return Stream.concat(Stream.of(name), others).filter(source::contains).findFirst();
    }

    @Override
    public void close() {
        source.close();
    }
}

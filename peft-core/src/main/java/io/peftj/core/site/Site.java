package io.peftj.core.site;

/**
 * A matrix of the base model where adapters can act, under the name Hugging Face gives its module.
 *
 * @param name the module's full name, such as "model.layers.0.self_attn.q_proj"
 * @param role what it does
 * @param layer the layer it stands in, or -1 outside the layers
 * @param in width of its input
 * @param out width of its output
 * @param bias whether it has a bias
 */
public record Site(String name, Role role, int layer, int in, int out, boolean bias) {
    /** Whether it is a linear layer inside the body: neither an embedding, nor the output embedding, nor a head. */
    public boolean isBodyLinear() {
        return role != Role.EMBEDDING && role != Role.OUTPUT_EMBEDDING && role != Role.HEAD;
    }

    /** Name of its matrix among the base model's parameters. */
    public String weightName() {
        return name + ".weight";
    }

    /** Name of its bias among the base model's parameters. */
    public String biasName() {
        return name + ".bias";
    }
}

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
 * @param fanInFanOut whether the base model's files hold its matrix as [in, out], as those with GPT-2's Conv1D do; outside of files all matrices are
 *     [out, in]
 */
public record Site(String name, Role role, int layer, int in, int out, boolean bias, boolean fanInFanOut) {
    /** A site whose matrix files hold as [out, in]. */
    public Site(String name, Role role, int layer, int in, int out, boolean bias) {
        this(name, role, layer, in, out, bias, false);
    }

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

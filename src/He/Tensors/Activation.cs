using ActorTrainer.He.Scheme;

namespace ActorTrainer.He.Tensors;

/// <summary>Encrypted numbers [batch, tokens, features], in as many ciphertexts as the layout takes. Owns them.</summary>
public sealed class Activation(FeatureLayout layout, IReadOnlyList<Ciphertext> parts) : IDisposable
{
    public FeatureLayout Layout { get; } = layout;

    public IReadOnlyList<Ciphertext> Parts { get; } = parts.Count == layout.Ciphertexts
        ? parts
        : throw new ArgumentException($"An activation of {layout.Features} features takes {layout.Ciphertexts} ciphertexts; found {parts.Count}.", nameof(parts));

    /// <summary>The lowest level of its parts.</summary>
    public int Level => Parts.Min(part => part.Level);

    public void Dispose()
    {
        foreach (var part in Parts)
        {
            part.Dispose();
        }
    }
}

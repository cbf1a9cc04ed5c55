using ActorTrainer.Actors.DataPlane;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Reads bundles of tensors and of ciphertexts, told apart by their first byte: a node does not know beforehand which runs it will serve.</summary>
public sealed class AnyPayloadReader(TensorPayloadReader tensors, CipherPayloadReader ciphertexts) : IPayloadReader
{
    /// <inheritdoc/>
    public IPayload Read(Stream stream) => stream.ReadByte() switch
    {
        < 0 => throw new EndOfStreamException("A payload ends before its header is complete."),
        CipherPayload.Marker => ciphertexts.ReadMarked(stream),
        var count => tensors.Read(count, stream),
    };
}

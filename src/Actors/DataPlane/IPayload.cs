namespace ActorTrainer.Actors.DataPlane;

/// <summary>
/// What one transfer carries: tensors or ciphertexts. Schedule, stage actors and data plane never look inside. Whoever
/// holds a payload owns it and disposes it, or passes it on.
/// </summary>
public interface IPayload : IDisposable
{
    /// <summary>Size on the wire in bytes, header of the payload included.</summary>
    long WireSize { get; }

    /// <summary>Writes exactly <see cref="WireSize"/> bytes.</summary>
    void Write(Stream stream);
}

/// <summary>Reads payloads of one kind back from their wire format.</summary>
public interface IPayloadReader
{
    /// <summary>Reads one payload.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a payload of this kind, or larger than allowed.</exception>
    IPayload Read(Stream stream);
}

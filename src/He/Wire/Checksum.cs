namespace ActorTrainer.He.Wire;

/// <summary><see cref="Crc32C"/> over pieces in a row.</summary>
internal struct Checksum()
{
    private uint _state = Crc32C.Start;

    public readonly uint Value => ~_state;

    public void Append(ReadOnlySpan<byte> bytes) => _state = Crc32C.Append(_state, bytes);
}

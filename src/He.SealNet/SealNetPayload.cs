using ActorTrainer.He.Backends;
using ActorTrainer.He.Scheme;
using Native = Microsoft.Research.SEAL.Ciphertext;

namespace ActorTrainer.He.SealNet;

/// <summary>A ciphertext of SEAL.</summary>
internal sealed class SealNetPayload(Native native) : IPayload
{
    public Native Native { get; } = native;

    public int Size => (int)Native.Size;

    public static Native Of(IPayload payload) => payload is SealNetPayload own
        ? own.Native
        : throw new MisuseException("This ciphertext was made by another backend than SEAL's. Give each backend its own ciphertexts.");

    public void Dispose() => Native.Dispose();
}

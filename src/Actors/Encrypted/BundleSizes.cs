using ActorTrainer.He.Parameters;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Wire;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// The two bundles of a micro-batch. Inputs: the ciphertexts of the activation, then a mask for each group of shifts; targets: one for each output. All are seeded, so
/// every micro-batch has the same size and its place in a shard follows from its number.
/// </summary>
/// <param name="Inputs">Levels of the inputs' ciphertexts, in their order.</param>
/// <param name="Targets">Levels of the targets' ciphertexts.</param>
/// <param name="InputBytes">Of the inputs' bundle.</param>
/// <param name="TargetBytes">Of the targets' bundle.</param>
internal sealed record BundleSizes(IReadOnlyList<int> Inputs, IReadOnlyList<int> Targets, long InputBytes, long TargetBytes)
{
    /// <summary>Of a micro-batch.</summary>
    public long Bytes => InputBytes + TargetBytes;

    public static BundleSizes Of(CkksParameters parameters, Packing packing, EncryptionLevels levels, int outputs)
    {
        int[] inputs = [.. Enumerable.Repeat(levels.Inputs, packing.Hidden.Ciphertexts), .. Enumerable.Repeat(levels.Masks, SlotMaps.ShiftGroups(packing))];
        int[] targets = [.. Enumerable.Repeat(levels.Targets, outputs)];
        return new BundleSizes(inputs, targets, Bundle(inputs), Bundle(targets));

        long Bundle(int[] bundle) => CipherPayload.HeaderBytes + bundle.Sum(level => WireSize.Ciphertext(parameters, level, seeded: true));
    }
}

namespace ActorTrainer.He.Seal;

/// <summary>How an object is packed; the numbers are those of SEAL's files. Its third way, zstd, is not supported.</summary>
public enum SealCompression : byte
{
    None = 0,
    Zlib = 1,
}

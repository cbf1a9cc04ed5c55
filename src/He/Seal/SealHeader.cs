using System.Buffers.Binary;

namespace ActorTrainer.He.Seal;

/// <summary>The 16 bytes that begin every object of SEAL and every array and modulus in it.</summary>
/// <param name="Size">Bytes of the object, these 16 included.</param>
internal readonly record struct SealHeader(SealVersion Version, byte Compression, ulong Size)
{
    private const ushort Magic = 0xA15E;

    /// <exception cref="SealFormatException">Not a header, or of a version that is not read.</exception>
    public static SealHeader Read(ReadOnlySpan<byte> bytes, string what)
    {
        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes) != Magic || bytes[2] != SealSizes.Header || BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]) != 0)
        {
            throw new SealFormatException($"The {what} does not begin with a header of SEAL 3.5 or later, 5E A1 10 and zeros at 6 and 7; found {Convert.ToHexString(bytes[..8])}.");
        }

        var version = new SealVersion(bytes[3], bytes[4]);
        return version.IsReadable
            ? new SealHeader(version, bytes[5], BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]))
            : throw new SealFormatException($"The {what} is of SEAL's format {version}; 3.6, 3.7 and 4.0 to 4.4 are read. Save it with such a version.");
    }

    public void Write(Span<byte> bytes)
    {
        bytes[..SealSizes.Header].Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, Magic);
        (bytes[2], bytes[3], bytes[4], bytes[5]) = (SealSizes.Header, Version.Major, Version.Minor, Compression);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Size);
    }
}

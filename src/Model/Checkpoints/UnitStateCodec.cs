using System.Buffers.Binary;
using System.Text.Json;
using ActorTrainer.Model.Common;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// The safetensors layout: header length (8 bytes, little endian), JSON header padded with blanks to a multiple of 8, then the tensors' bytes
/// one after the other in the header's order.
/// </summary>
internal static class UnitStateCodec
{
    private const int MaxHeader = 100_000_000;

    private static readonly (ScalarType Type, string Name, int Bytes)[] Types =
    [
        (ScalarType.Float32, "F32", 4),
        (ScalarType.Float64, "F64", 8),
        (ScalarType.BFloat16, "BF16", 2),
        (ScalarType.Float16, "F16", 2),
        (ScalarType.Byte, "U8", 1),
    ];

    public static void Write(Stream stream, IReadOnlyList<(string Name, Tensor Value)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            var offset = 0L;
            foreach (var (name, value) in tensors)
            {
                var type = Types.First(t => t.Type == value.dtype);
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name);
                json.WriteStartArray("shape");
                foreach (var size in value.shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += value.numel() * type.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, buffer.Length);
        stream.Write(length);
        stream.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        foreach (var (_, value) in tensors)
        {
            using var raw = RawTensor.Of(value);
            stream.Write(raw.Bytes);
        }
    }

    /// <summary>Reads and checks the header; the stream then stands at the first tensor.</summary>
    /// <exception cref="RefusedException">The stream is not of this layout or shorter or longer than its header says.</exception>
    public static Header ReadHeader(Stream stream, string source)
    {
        try
        {
            Span<byte> prefix = stackalloc byte[sizeof(long)];
            stream.ReadExactly(prefix);
            var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
            if (length is < 2 or > MaxHeader)
            {
                throw new RefusedException($"{source}: the header is said to have {length} bytes; this is not a unit's state.");
            }

            var json = new byte[length];
            stream.ReadExactly(json);
            var header = Parse(json, source);
            var data = header.Entries.Sum(e => e.Bytes);
            if (stream.CanSeek && stream.Length - stream.Position != data)
            {
                throw new RefusedException($"{source} has {stream.Length - stream.Position} bytes of tensors; its header says {data}.");
            }

            return header;
        }
        catch (EndOfStreamException e)
        {
            throw new RefusedException($"{source} ends inside its header.", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new RefusedException($"{source}: the header is not that of a unit's state: {e.Message}", e);
        }
    }

    private static Header Parse(byte[] json, string source)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        var metadata = new Dictionary<string, string>();
        var entries = new List<Entry>();
        var end = 0L;
        foreach (var property in document.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                foreach (var pair in property.Value.EnumerateObject())
                {
                    metadata.Add(pair.Name, pair.Value.GetString()!);
                }

                continue;
            }

            var name = property.Value.GetProperty("dtype").GetString();
            var type = Types.FirstOrDefault(t => t.Name == name);
            if (type.Name is null)
            {
                throw new RefusedException($"{source}: {property.Name} has the type {name}; known are {string.Join(", ", Types.Select(t => t.Name))}.");
            }

            var shape = property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
            var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
            var bytes = shape.Aggregate((long)type.Bytes, (product, size) => checked(product * size));
            if (shape.Any(size => size < 0) || offsets.Length != 2 || offsets[0] != end || offsets[1] != end + bytes)
            {
                throw new RefusedException(
                    $"{source}: {property.Name} has the offsets [{string.Join(", ", offsets)}]; its shape and place ask for [{end}, {end + bytes}].");
            }

            end += bytes;
            entries.Add(new Entry(property.Name, type.Type, shape, bytes));
        }

        return new Header(entries, metadata);
    }

    /// <summary>One tensor of the file.</summary>
    public sealed record Entry(string Name, ScalarType Type, long[] Shape, long Bytes);

    /// <summary>Tensors in file order, and the free texts.</summary>
    public sealed record Header(IReadOnlyList<Entry> Entries, IReadOnlyDictionary<string, string> Metadata);
}

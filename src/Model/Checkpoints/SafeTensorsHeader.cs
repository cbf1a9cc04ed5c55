using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// What a safetensors file says about itself: 8 bytes of length (little endian), JSON, then the tensors' bytes without gaps.
/// Reading checks all of it before any tensor is touched.
/// </summary>
public sealed class SafeTensorsHeader
{
    private const long LongestJson = 100_000_000; // as the format's reference implementation
    private const string MetadataKey = "__metadata__";

    // Names are file content, not HTML: keep them readable, and as other writers spell them.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, SafeTensorsEntry> _byName;

    internal SafeTensorsHeader(string path, IReadOnlyList<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string> metadata, long dataStart)
    {
        Path = path;
        Entries = entries;
        Metadata = metadata;
        DataStart = dataStart;
        _byName = entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafeTensorsEntry> Entries { get; }

    /// <summary>Free-form text pairs.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Offset of the data section in the file.</summary>
    public long DataStart { get; }

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="RefusedException">There is none.</exception>
    public SafeTensorsEntry this[string name] =>
        Find(name) ?? throw new RefusedException($"{Path}: expected a tensor {name}; the file has {_byName.Count} tensors, none of that name.");

    /// <summary>The tensor of that name, or null.</summary>
    public SafeTensorsEntry? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="RefusedException">Not there, truncated, or not a valid safetensors file; names the file and, where there is one, the tensor.</exception>
    public static SafeTensorsHeader Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            return Read(path, stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>Length prefix and JSON, padded with blanks so that the data section starts at a multiple of 8.</summary>
    internal static byte[] Serialize(IReadOnlyList<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        using var bytes = new MemoryStream();
        bytes.Write(new byte[8]);
        using (var json = new Utf8JsonWriter(bytes, WriterOptions))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            foreach (var entry in entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.DType);
                WriteNumbers(json, "shape", entry.Shape);
                WriteNumbers(json, "data_offsets", [entry.Begin, entry.End]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (bytes.Length % 8 != 0)
        {
            bytes.WriteByte((byte)' ');
        }

        var result = bytes.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(result, result.Length - 8);
        return result;
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static SafeTensorsHeader Read(string path, Stream stream)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
        {
            throw Bad(path, $"expected at least 8 bytes, found {stream.Length}: the file is truncated or not safetensors");
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestJson || (long)length > stream.Length - 8)
        {
            throw Bad(path, $"the header claims {length} bytes, but {stream.Length - 8} follow (and at most {LongestJson} are allowed): truncated or not safetensors");
        }

        var json = new byte[(int)length];
        stream.ReadExactly(json);
        var dataStart = 8 + (long)length;
        var (entries, metadata) = Parse(path, json);
        CheckLayout(path, entries, stream.Length - dataStart);
        return new(path, entries, metadata, dataStart);
    }

    private static (List<SafeTensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(string path, byte[] json)
    {
        try
        {
            // Names must be text: the parser itself accepts some invalid UTF-8 inside strings.
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(json);
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Bad(path, $"expected a JSON object as header, found {document.RootElement.ValueKind}");
            }

            var entries = new List<SafeTensorsEntry>();
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name))
                {
                    throw Bad(path, $"tensor {property.Name} appears twice in the header");
                }

                if (property.Name == MetadataKey)
                {
                    ParseMetadata(path, property.Value, metadata);
                }
                else
                {
                    entries.Add(ParseEntry(path, property.Name, property.Value));
                }
            }

            entries.Sort((x, y) => (x.Begin, x.End).CompareTo((y.Begin, y.End)));
            return (entries, metadata);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new RefusedException($"{path}: the safetensors header is not valid JSON ({e.Message}).", e);
        }
    }

    private static void ParseMetadata(string path, JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Any(pair => pair.Value.ValueKind != JsonValueKind.String))
        {
            throw Bad(path, $"{MetadataKey} must be an object of strings");
        }

        foreach (var pair in value.EnumerateObject())
        {
            if (!metadata.TryAdd(pair.Name, pair.Value.GetString()!))
            {
                throw Bad(path, $"{pair.Name} appears twice in {MetadataKey}");
            }
        }
    }

    private static SafeTensorsEntry ParseEntry(string path, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shapeValue) || Numbers(shapeValue) is not { } shape
            || !value.TryGetProperty("data_offsets", out var offsetsValue) || Numbers(offsetsValue) is not { } offsets
            || value.EnumerateObject().Count() != 3)
        {
            throw Bad(path, $"tensor {name} must have exactly dtype (a string), shape and data_offsets (arrays of integers from 0 on)");
        }

        var typeName = type.GetString()!;
        if (SafeTensorsType.Size(typeName) is not { } size)
        {
            throw Bad(path, $"tensor {name} has the unknown dtype {typeName}; known are {SafeTensorsType.All}");
        }

        if (offsets.Length != 2 || offsets[0] > offsets[1])
        {
            throw Bad(path, $"tensor {name} must have two data_offsets, the first not above the second; found [{string.Join(", ", offsets)}]");
        }

        var entry = new SafeTensorsEntry(name, typeName, shape, offsets[0], offsets[1]);
        if (ByteCount(shape, size) is not { } needed || needed != entry.Length)
        {
            throw Bad(path, $"tensor {name} is {typeName} {entry.ShapeText} but spans {entry.Length} bytes");
        }

        return entry;
    }

    /// <summary>An array of integers ≥ 0, or null if it is anything else.</summary>
    private static long[]? Numbers(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var result = new long[value.GetArrayLength()];
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out result[i]) || result[i] < 0)
            {
                return null;
            }

            i++;
        }

        return result;
    }

    /// <summary>Bytes of a tensor, or null when the product does not fit 64 bits.</summary>
    private static long? ByteCount(long[] shape, int size)
    {
        if (shape.Contains(0))
        {
            return 0;
        }

        Int128 product = size;
        foreach (var length in shape)
        {
            product *= length;
            if (product > long.MaxValue)
            {
                return null;
            }
        }

        return (long)product;
    }

    /// <summary>Tensors follow each other without overlap or gap and end with the file.</summary>
    private static void CheckLayout(string path, List<SafeTensorsEntry> entries, long dataLength)
    {
        var position = 0L;
        foreach (var entry in entries)
        {
            if (entry.End > dataLength)
            {
                throw Bad(path, $"tensor {entry.Name} ends at byte {entry.End} of the data, but the file holds {dataLength}: truncated");
            }

            if (entry.Begin != position)
            {
                throw Bad(path, entry.Begin < position
                    ? $"tensor {entry.Name} starts at byte {entry.Begin} of the data, inside the tensor before it, which ends at {position}"
                    : $"bytes {position} to {entry.Begin} of the data, before tensor {entry.Name}, belong to no tensor");
            }

            position = entry.End;
        }

        if (position != dataLength)
        {
            throw Bad(path, $"the tensors end at byte {position} of the data, but the file holds {dataLength}");
        }
    }

    private static RefusedException Bad(string path, string what) => new($"{path}: {what}.");
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Reads and writes the manifests of keys and encrypted data: JSON in which nothing may be missing.</summary>
internal static class ManifestFile
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a file, not HTML
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public static byte[] ToBytes<T>(T manifest) => [.. JsonSerializer.SerializeToUtf8Bytes(manifest, Json), (byte)'\n'];

    public static void Save<T>(string path, T manifest) => AtomicFile.Write(path, stream => stream.Write(ToBytes(manifest)));

    /// <summary>The manifest in a file, or null when there is none.</summary>
    /// <param name="format">The version this build reads.</param>
    /// <param name="remedy">What to do about a file that cannot be used; ends with a full stop.</param>
    /// <exception cref="RefusedException">It is damaged, or of another version.</exception>
    public static T? Load<T>(string path, int format, Func<T, int> formatOf, string remedy)
        where T : class
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var manifest = JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Json) ?? throw new JsonException("null");
            return formatOf(manifest) == format ? manifest : throw new RefusedException($"{path}: format {formatOf(manifest)}, expected {format}. {remedy}");
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{path}: damaged: {e.Message} {remedy}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{path}: cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>What differs, for people; empty when nothing does.</summary>
    public static string Differences<T>(T existing, T wanted)
    {
        var (there, now) = (JsonSerializer.SerializeToNode(existing, Json)!.AsObject(), JsonSerializer.SerializeToNode(wanted, Json)!.AsObject());
        return string.Join("; ", now.Where(pair => !JsonNode.DeepEquals(pair.Value, there[pair.Key])).Select(
            pair => $"{pair.Key} was {there[pair.Key]?.ToJsonString() ?? "null"}, now {pair.Value?.ToJsonString() ?? "null"}"));
    }
}

using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>The file whose content every node knows.</summary>
public static class ClusterSecret
{
    /// <summary>Fewest bytes: what is shorter can be guessed from one recorded handshake.</summary>
    public const int MinLength = 16;

    /// <summary>Most bytes.</summary>
    public const int MaxLength = 4096;

    /// <summary>The content of a secret file, without white space around it.</summary>
    /// <exception cref="RefusedException">It cannot be read, is too short or too long; never tells the content.</exception>
    public static byte[] Load(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            var secret = length > MaxLength ? [] : Encoding.UTF8.GetBytes(File.ReadAllText(path).Trim());
            return length <= MaxLength && secret.Length >= MinLength
                ? secret
                : throw new RefusedException(
                    $"cluster.secret_file: expected {MinLength} to {MaxLength} bytes in {path}, found {(length > MaxLength ? length : secret.Length)}; 'actortrainer certificates' makes one.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"cluster.secret_file: {path} cannot be read: {e.Message}", e);
        }
    }
}

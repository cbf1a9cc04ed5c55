using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>A line of a text file, without its line end.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Bytes">Bytes in the file, line end included.</param>
internal readonly record struct TextLine(string Text, long Number, int Bytes);

/// <summary>Reads lines of strict UTF-8, holding one line at a time. Ends are LF or CRLF; a byte-order mark is skipped.</summary>
internal static class Utf8Lines
{
    /// <summary>Longest line taken: far above any document, and it keeps memory bounded for files that are not text.</summary>
    public const int LongestLine = 64 << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="RefusedException">Bytes are not UTF-8 or a line is too long; names file and line.</exception>
    public static IEnumerable<TextLine> Read(string file, int longestLine = LongestLine)
    {
        using var stream = InputFile.Open(file);
        var buffer = new byte[1 << 16];
        var (start, scanned, end) = (0, 0, 0);
        var number = 0L;
        while (true)
        {
            var length = buffer.AsSpan(scanned, end - scanned).IndexOf((byte)'\n');
            if (length >= 0)
            {
                length += scanned - start;
                yield return Decode(buffer.AsSpan(start, length), ++number, length + 1, file);
                start += length + 1;
                scanned = start;
                continue;
            }

            if (end - start > longestLine)
            {
                throw new RefusedException(
                    $"{file}, line {number + 1}: longer than {longestLine:N0} bytes; break the text into lines.");
            }

            (buffer, start, end) = MakeRoom(buffer, start, end);
            scanned = end;
            var read = stream.Read(buffer, end, buffer.Length - end);
            if (read == 0)
            {
                break;
            }

            end += read;
        }

        if (end > start)
        {
            yield return Decode(buffer.AsSpan(start, end - start), ++number, end - start, file);
        }
    }

    private static (byte[] Buffer, int Start, int End) MakeRoom(byte[] buffer, int start, int end)
    {
        var target = end - start > buffer.Length / 2 ? new byte[buffer.Length * 2] : buffer;
        buffer.AsSpan(start, end - start).CopyTo(target);
        return (target, 0, end - start);
    }

    private static TextLine Decode(ReadOnlySpan<byte> line, long number, int bytes, string file)
    {
        if (number == 1 && line.StartsWith(Encoding.UTF8.Preamble))
        {
            line = line[3..];
        }

        if (line is [.., (byte)'\r'])
        {
            line = line[..^1];
        }

        try
        {
            return new(Strict.GetString(line), number, bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new RefusedException(
                $"{file}, line {number}: byte 0x{e.BytesUnknown?.FirstOrDefault():X2} at position {e.Index + 1} of the line is not valid UTF-8; "
                + "convert the file to UTF-8.",
                e);
        }
    }
}

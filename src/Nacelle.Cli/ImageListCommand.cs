using Nacelle.CommandLine;
using Nacelle.Images;

namespace Nacelle.Cli;

/// <summary><c>image list</c>: the images in the store.</summary>
static class ImageListCommand
{
    static readonly Option Fields = new("fields", "FIELD,…", "columns to show, of id, name, size, importtime and lastused");
    static readonly Option Sort = new("sort", "FIELD,…", "fields to sort by (importtime)");
    static readonly Option Order = new("order", "asc|desc", "ascending or descending");
    static readonly Option Full = new("full", null, "show whole ids, bytes and times");
    static readonly Option NoLegend = new("no-legend", null, "leave the table's head out");

    public static readonly Command Definition = new("image list", "[FLAGS]", "list the images in the store", [Fields, Sort, Order, Full, NoLegend, Formats.Option], Run);

    static readonly (string Name, string Title)[] Known =
        [("id", "ID"), ("name", "NAME"), ("size", "SIZE"), ("importtime", "IMPORT TIME"), ("lastused", "LAST USED")];

    static int Run(Invocation invocation)
    {
        var format = Formats.Of(invocation);
        using var store = ImageStore.Open(GlobalFlags.DataDirectory(invocation));
        var images = Sorted(store.List(), invocation);
        if (format != Format.Table)
        {
            Output.Line(Formats.Write([.. images.Select(ToJson)], CliJson.For(format).ImageJsonArray));
            return 0;
        }

        bool full = invocation.Is(Full);
        var fields = Parse(invocation.Value(Fields) ?? "id,name,size,importtime,lastused", Fields);
        List<string[]> rows = invocation.Is(NoLegend) ? [] : [[.. fields.Select(field => Known[field].Title)]];
        rows.AddRange(images.Select(image => fields.Select(field => Cell(image, field, full)).ToArray()));
        Output.Table(rows);
        return 0;
    }

    static string Cell(StoredImage image, int field, bool full) => field switch
    {
        0 => full ? image.Id.FileName : $"{image.Id.Algorithm}-{image.Id.Hex[..12]}",
        1 => image.DisplayName,
        2 => full ? $"{image.Size}" : Output.Size(image.Size),
        3 => full ? PodView.TimeText(image.Imported) : Output.Ago(image.Imported),
        _ => full ? PodView.TimeText(image.LastUsed) : Output.Ago(image.LastUsed),
    };

    static List<StoredImage> Sorted(List<StoredImage> images, Invocation invocation)
    {
        foreach (int field in Parse(invocation.Value(Sort) ?? "importtime", Sort).Reverse())
        {
            images = [.. field switch
            {
                0 => images.OrderBy(image => image.Id.ToString(), StringComparer.Ordinal),
                1 => images.OrderBy(image => image.DisplayName, StringComparer.Ordinal),
                2 => images.OrderBy(image => image.Size),
                3 => images.OrderBy(image => image.Imported),
                _ => images.OrderBy(image => image.LastUsed),
            }];
        }

        switch (invocation.Value(Order) ?? "asc")
        {
            case "asc": return images;
            case "desc": images.Reverse(); return images;
            case var other: throw new UserException($"--order={other}: use asc or desc");
        }
    }

    static int[] Parse(string list, Option option) =>
        [.. list.Split(',').Select(name =>
        {
            int at = Array.FindIndex(Known, known => known.Name == name.Replace("-", "", StringComparison.Ordinal));
            return at >= 0 ? at : throw new UserException($"--{option.Name}: there is no field '{name}'; use {string.Join(", ", Known.Select(known => known.Name))}");
        })];

    static ImageJson ToJson(StoredImage image) =>
        new(image.Id.FileName, image.DisplayName, image.Imported.ToUnixTimeMilliseconds() * 1_000_000, image.LastUsed.ToUnixTimeMilliseconds() * 1_000_000, image.Size);
}
